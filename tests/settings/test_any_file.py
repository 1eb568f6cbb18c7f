"""Whatever stands in a configuration file, a variable or `--set`, it is settings or one clear error."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.errors import UetError
from uet_tui.resources import CONFIG
from uet_tui.settings.layers import FILES, load_settings
from uet_tui.settings.reading import read_file
from uet_tui.settings.tree import Section

SHIPPED = {name: yaml.safe_load((CONFIG / name).read_text()) for name in FILES}
KEYS = sorted({key for file in SHIPPED.values() for key in file})
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([".nan", "1e999", "0123", "on", "**", "\ud800", "a\0b", "{}", "../x"])
)  # fmt: skip
keys = st.text(max_size=6) | st.sampled_from(KEYS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _what_is_shipped_is_read_once() -> Iterator[None]:
    """Reading it is most of the time that an example takes, and it is the same each time."""
    with pytest.MonkeyPatch.context() as patch:
        shipped = dict[Path, Section]()

        def read_once(path: Path, layer: str, shown: str) -> Section:
            if layer != "shipped":
                return read_file(path, layer, shown)
            if path not in shipped:
                shipped[path] = read_file(path, layer, shown)
            return shipped[path]

        patch.setattr("uet_tui.settings.layers.read_file", read_once)
        yield


def in_a_file(name: str, data: bytes) -> None:
    """Loads settings with such a file; raises whatever is no error for the operator."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config").mkdir()
        (Path(folder) / "config" / name).write_bytes(data)
        one_error(lambda: load_settings(Path(folder), {}))


def one_error(load: Callable[[], object]) -> None:
    """Calls it; an error is one line."""
    try:
        load()
    except UetError as error:
        assert str(error)


@pytest.mark.fuzz
@given(st.sampled_from(FILES), st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
def test_any_bytes_in_a_file(name: str, data: bytes) -> None:
    in_a_file(name, data)


@pytest.mark.fuzz
@given(st.sampled_from(FILES), st.dictionaries(st.sampled_from(KEYS), values, max_size=3))
def test_any_values_in_a_file(name: str, found: dict[str, object]) -> None:
    in_a_file(name, yaml.dump(found, allow_unicode=True).encode(errors="replace"))


@pytest.mark.fuzz
@given(st.sampled_from(KEYS) | st.text(max_size=8), st.text(max_size=12), st.booleans())
def test_any_words_on_the_command_line_and_in_the_environment(key: str, value: str, given: bool) -> None:
    if given:
        one_error(lambda: load_settings(None, {}, [f"{key}={value}"]))
    else:
        one_error(lambda: load_settings(None, {f"UET_{key.upper()}": value}))
