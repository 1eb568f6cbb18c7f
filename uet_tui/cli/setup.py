"""`uet init`: configuration and a sample plan for the repository one stands in."""

from collections.abc import Iterator
from pathlib import Path

import typer

from uet_tui.cli.options import Json, Sets
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import repository
from uet_tui.errors import UetError
from uet_tui.resources import CONFIG
from uet_tui.settings.layers import FILES

app = typer.Typer()

_SAMPLE = Path(__file__).with_name("sample.yaml")
_HINT = "# Shipped values, commented out: take the # away where you want another. `uet config` shows what holds.\n"


@app.command()
def init(json: Json = False, sets: Sets = None) -> None:
    """Write config/ and a sample plan into this repository; files that exist stay as they are."""
    root = repository()
    if root is None:
        raise UetError(f"{Path.cwd()} is not in a git repository; go to one, or make one with: git init")
    written: list[str] = []
    kept: list[str] = []
    for path, text in _files(root):
        (written if _write(path, text) else kept).append(str(path.relative_to(root)))
    if json:
        emit({"repository": str(root), "written": written, "kept": kept})
        return
    show(*[f"wrote  {name}" for name in written], *[f"kept   {name}" for name in kept])
    show("next:  uet validate", "       uet run --agent simulated     (a rehearsal: no model, no money)")


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    for name in FILES:
        yield root / "config" / name, commented((CONFIG / name).read_text())
    if not (root / "workstreams").exists():  # a plan of the operator's own stays alone
        yield root / "workstreams" / "sample.yaml", _SAMPLE.read_text()


def commented(shipped: str) -> str:
    """A shipped configuration file with every line a comment, so that it sets nothing until it is changed."""
    lines = (line if not line or line.startswith("#") else f"# {line}" for line in shipped.splitlines())
    return _HINT + "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> bool:
    """Writes a file that is not there yet, not even as a link; False if it is."""
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise UetError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise UetError(f"cannot write {path}: {error.strerror}") from error
    return True
