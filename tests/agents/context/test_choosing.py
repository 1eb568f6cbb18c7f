"""From the files of a commit to what an agent is shown of them."""

import hashlib
from pathlib import Path

from uet_tui.agents.context.choosing import Chosen, Sources, choose, weigh
from uet_tui.agents.context.counts import Counts
from uet_tui.agents.context.tokens import count_tokens

MODULE = (
    b'"""Says hello."""\r\n\r\n\r\ndef greet(name):\r\n    """Greets."""\r\n    return f"hello {name}"\r\n'
    + b"# more\r\n" * 300
)
FILES = {
    "src/app.py": b"from src.words import greet\n\ngreet('x')\n",
    "src/words.py": MODULE,
    "src/\x1b[31mred.py": b"import src.app\n",
    "logo.png": b"\x89PNG\0",
    "data.yaml": b"app: src/app.py\n",
}


def sources(files: dict[str, bytes] = FILES) -> Sources:
    by_id = {hashlib.sha1(data).hexdigest(): data for data in files.values()}
    oids = {path: hashlib.sha1(data).hexdigest() for path, data in files.items()}
    named = {path: 1 for path, data in files.items() if b"src/app" in data or b"src.app" in data}
    return Sources(oids, by_id.__getitem__, lambda words: named if "src/app" in words else {})


def chosen(
    tmp_path: Path, room: int, *, whole: bool = False, scope: tuple[str, ...] = ("src/app.py", "logo.png")
) -> Chosen:
    there = sources()
    files, beyond = weigh(there, scope, Counts(tmp_path / "tokens"))
    return choose(there, files, room, whole=whole, large=100, beyond=beyond)


def test_a_reader_is_shown_names_sizes_reasons_and_outlines(tmp_path: Path) -> None:
    found = chosen(tmp_path, 1_000)
    size = count_tokens(MODULE.decode())
    assert found.record().splitlines() == [
        "=== logo.png (it is no text; in scope)",
        f"=== src/app.py ({count_tokens(FILES['src/app.py'].decode())} tokens; in scope)",
        f"=== src/words.py ({size} tokens; imported by src/app.py, in outline)",
        '    """Says hello."""',
        "",
        "    def greet(name):",
        '        """Greets."""',
        "=== data.yaml (6 tokens; names what is in scope)",
        "=== src/red.py (4 tokens; names what is in scope)",
    ]
    assert found.to_read == count_tokens(FILES["src/app.py"].decode())


def test_who_cannot_read_gets_the_files_without_what_a_terminal_would_act_on(tmp_path: Path) -> None:
    found = chosen(tmp_path, 10_000, whole=True)
    record = found.record()
    assert MODULE.decode().replace("\r\n", "\n") in record and "\r" not in record and "\x1b" not in record
    assert found.to_read == 0
    assert count_tokens(record) <= found.selection.tokens


def test_what_is_shown_has_no_more_tokens_than_it_says(tmp_path: Path) -> None:
    for room in range(0, 400, 7):
        for whole in (True, False):
            found = chosen(tmp_path, room, whole=whole)
            assert count_tokens(found.record()) <= found.selection.tokens <= room


def test_of_very_many_files_those_that_matter_least_are_only_counted(tmp_path: Path) -> None:
    many = {f"src/f{n:04}.py": b"x = 1\n" for n in range(350)}
    files, beyond = weigh(sources(many), ("src/",), Counts(tmp_path / "tokens"))
    assert (len(files), beyond) == (300, 50)
