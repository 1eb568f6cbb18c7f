"""The ladder: for each rung a repository where just that rung settles the conflict, and one where it is refused."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.merge.workshops import climbed, ladder
from tests.workspace.bench import Bench, files_of
from uet_tui.core.commands import Side
from uet_tui.core.conflicts import Entry, Rung, holds, take, take_proposals
from uet_tui.merge.ladder import Climbing
from uet_tui.merge.merging import Conflicted, merge
from uet_tui.merge.proposing import propose_tree, with_settled
from uet_tui.merge.resolution import resolve
from uet_tui.merge.rungs.recorded import remember

LINES = [b"line %d\n" % n for n in range(1, 13)]
BASE = b"".join(LINES)
OURS, THEIRS = BASE.replace(b"line 6\n", b"ours 6\n"), BASE.replace(b"line 6\n", b"theirs 6\n")
BOTH = BASE.replace(b"line 6\n", b"ours 6\ntheirs 6\n")
ALL_BUT = {
    "recorded": ladder(recorded=True),
    "union": ladder(union=("f",)),
    "regenerate": ladder(regenerate=(("f", "cp made f"),)),
    "structural": ladder(structural=(("f", "cat {ours} {theirs} > {output}"),)),
}


def clash(bench: Bench, **sides: dict[str, bytes | None]) -> Conflicted:
    first = bench.first({"other": b"other\n"} | {k: v for k, v in sides["base"].items() if v is not None})
    found = merge(bench.control, bench.commit(first, sides["ours"]), bench.commit(first, sides["theirs"]))
    assert isinstance(found, Conflicted)
    return found


def simple(bench: Bench, base: bytes = BASE, ours: bytes = OURS, theirs: bytes = THEIRS, path: str = "f") -> Conflicted:
    return clash(bench, base={path: base}, ours={path: ours}, theirs={path: theirs})


def result(bench: Bench, found: Conflicted, made: Climbing, path: str = "f") -> bytes | None:
    """What the file becomes when the proposals are taken."""
    return bench.text(resolve(bench.control, found.tree, take_proposals(made.files)), path)


def only(made: Climbing, name: str, verdict: str) -> Rung:
    """The one entry of a rung, where no other rung came to anything."""
    (rung,) = [rung for rung in made.tried if rung.verdict != "not applicable"]
    assert (rung.name, rung.verdict) == (name, verdict)
    return rung


# What just one rung settles


def test_recorded_settles_what_was_resolved_before(bench: Bench) -> None:
    found = simple(bench)
    assert not climbed(bench, found, ladder(recorded=True)).settled
    remember(bench.control, found.files, resolve(bench.control, found.tree, take(found.files, Side.BOTH)))
    elsewhere = simple(bench, b"top\n" + BASE, b"top\n" + OURS, b"top\n" + THEIRS, "moved/g")
    made = climbed(bench, elsewhere, ladder(recorded=True))
    assert only(made, "recorded", "settled").detail == "moved/g"
    assert result(bench, elsewhere, made, "moved/g") == b"top\n" + BOTH
    assert not climbed(bench, elsewhere, ladder(recorded=False)).settled


def test_union_settles_what_is_only_appended_to(bench: Bench) -> None:
    found = simple(bench, b"1\r\n", b"1\r\nours", b"1\r\nboth\r\ntheirs\r\n")
    made = climbed(bench, found, ladder(union=("f",)))
    assert only(made, "union", "settled").detail == "f"
    assert result(bench, found, made) == b"1\r\nours\r\nboth\r\ntheirs\r\n"
    assert made.settled and not climbed(bench, found, ladder(union=("g",))).settled


def test_union_keeps_what_both_sides_wrote_twice(bench: Bench) -> None:
    found = simple(bench, b"", b"o\nsame\nx\n", b"t\nsame\ny\n")
    assert result(bench, found, climbed(bench, found, ladder(union=("*",)))) == b"o\nsame\nx\nt\nsame\ny\n"


LOCK = "cat parts/* > lock"
"""Makes a lock file of what it is generated from."""


def test_regenerate_settles_a_file_that_a_command_makes(bench: Bench) -> None:
    found = clash(
        bench,
        base={"parts/a": b"a\n", "lock": b"a\n"},
        ours={"parts/o": b"o\n", "lock": b"a\no\n"},
        theirs={"parts/t": b"t\n", "lock": b"a\nt\n"},
    )
    made = climbed(bench, found, ladder(regenerate=(("lock", LOCK),)))
    assert only(made, "regenerate", "settled").detail == "lock"
    assert result(bench, found, made, "lock") == b"a\no\nt\n"


def test_structural_settles_what_a_program_that_knows_the_language_merges(bench: Bench, tmp_path: Path) -> None:
    program = tmp_path / "imports.py"
    program.write_text(IMPORTS)
    found = simple(
        bench, b"import os\n\nx = 1\n", b"import os\nimport re\n\nx = 1\n", b"import os\nimport sys\n\nx = 1\n", "m.py"
    )
    command = f"{sys.executable} {program} {{base}} {{ours}} {{theirs}} {{output}}"
    made = climbed(bench, found, ladder(structural=(("*.py", command),)))
    assert only(made, "structural", "settled").detail == "m.py"
    assert result(bench, found, made, "m.py") == b"import os\nimport re\nimport sys\n\nx = 1\n"


IMPORTS = """
import sys
base, ours, theirs = (open(name).read().splitlines() for name in sys.argv[1:4])
imports = sorted({line for side in (ours, theirs) for line in side if line.startswith("import ")})
rest = [line for line in ours if not line.startswith("import ")]
open(sys.argv[4], "w").write("\\n".join(imports + rest) + "\\n")
"""


@pytest.mark.skipif(shutil.which("mergiraf") is None, reason="mergiraf is not installed")
@pytest.mark.parametrize(
    "command", ["mergiraf merge {base} {ours} {theirs} -p {path} -o {output}", "mergiraf solve {marked}"]
)
def test_mergiraf_itself_settles_two_imports(bench: Bench, command: str) -> None:
    found = simple(
        bench, b"import os\n\nx = 1\n", b"import os\nimport re\n\nx = 1\n", b"import os\nimport sys\n\nx = 1\n", "m.py"
    )
    made = climbed(bench, found, ladder(structural=(("*.py", command),)))
    assert only(made, "structural", "settled")
    text = result(bench, found, made, "m.py") or b""
    assert {b"import os", b"import re", b"import sys"} <= set(text.splitlines())


# What the side-loss check refuses


def refused(made: Climbing, name: str) -> str:
    """The evidence; the proposal stays with it, for the operator alone."""
    rung = only(made, name, "refused")
    assert not made.settled
    (file,) = [file for file in made.files if file.proposed_by]
    assert (file.proposed_by, holds(file)) == (name, False)
    assert not any(f.decided for f in take_proposals(made.files) if f.path == file.path)
    return rung.detail


def test_recorded_is_refused_where_it_took_a_side(bench: Bench) -> None:
    found = simple(bench)
    remember(bench.control, found.files, resolve(bench.control, found.tree, take(found.files, Side.OURS)))
    made = climbed(bench, found, ladder(recorded=True))
    assert refused(made, "recorded") == "theirs added 'theirs 6' (f:6), the result lacks it"
    taken = take(made.files, Side.PROPOSAL)
    assert bench.text(resolve(bench.control, found.tree, taken), "f") == OURS, "the operator may take it all the same"


def test_union_is_refused_where_git_dropped_a_moved_line_beside_it(bench: Bench) -> None:
    """Two blocks of one length change places, so it is open which one moved; theirs takes a line out of one."""
    blocks = b"".join(b"%s%d\n" % (block, n) for block in (b"a", b"b") for n in range(1, 5))
    swapped = blocks[12:] + blocks[:12]
    told = []
    for line in (b"a2\n", b"b2\n"):
        found = simple(bench, blocks + BASE, swapped + OURS, blocks.replace(line, b"") + THEIRS)
        made = climbed(bench, found, ladder(union=("f",)))
        if made.tried[1].verdict == "refused":
            told.append(refused(made, "union"))
    assert any("ours added" in line and "the result lacks it" in line for line in told)


def test_regenerate_is_refused_where_the_command_forgets_a_line(bench: Bench) -> None:
    found = simple(bench)
    made = climbed(bench, found, ladder(regenerate=(("f", "grep -v 'ours 6' f > g; mv g f"),)))
    detail = refused(made, "regenerate")
    assert (
        "ours added 'ours 6' (f:6), the result lacks it; theirs added 'theirs 6' (f:6), the result lacks it" in detail
    )


def test_structural_is_refused_where_the_program_drops_a_line(bench: Bench) -> None:
    found = simple(bench)
    made = climbed(bench, found, ladder(structural=(("f", "cp {theirs} {output}"),)))
    assert refused(made, "structural") == "ours added 'ours 6' (f:6), the result lacks it"


# How rungs follow each other


def test_what_one_rung_leaves_goes_to_the_next_and_all_is_on_record(bench: Bench) -> None:
    names = ("log", "lock", "code")
    found = clash(
        bench,
        **{side: dict.fromkeys(names, text) for side, text in (("base", BASE), ("ours", OURS), ("theirs", THEIRS))},
    )
    settings = ladder(
        recorded=True,
        union=("log",),
        regenerate=(("lock", "grep -q 'ours 6' code && sed -i '/^ours 6/a theirs 6' lock"),),
        structural=(("code", "sed '/^ours 6/a theirs 6' {ours} > {output}"),),
    )
    made = climbed(bench, found, settings)
    assert [(rung.name, rung.verdict) for rung in made.tried] == [
        ("recorded", "not applicable"),
        ("union", "settled"),
        ("regenerate", "settled"),
        ("structural", "settled"),
    ]
    assert made.tried[2].detail == "lock; made with ours' version of code"
    assert all(rung.seconds >= 0 for rung in made.tried) and made.tried[3].seconds > 0
    assert [(file.path, file.proposed_by) for file in made.files] == [
        ("code", "structural"),
        ("lock", "regenerate"),
        ("log", "union"),
    ]
    assert [result(bench, found, made, name) for name in names] == [BOTH] * 3


def test_nothing_is_tried_once_all_is_settled_and_what_holds_is_kept(bench: Bench) -> None:
    found = simple(bench)
    made = climbed(bench, found, ladder(union=("f",), structural=(("f", "cp {ours} {output}"),)))
    assert [rung.name for rung in made.tried] == ["recorded", "union"]
    again = climbed(bench, Conflicted(found.tree, made.files), ladder(structural=(("f", "cp {ours} {output}"),)))
    assert (again.files, again.tried) == (made.files, ())


def test_of_two_refused_results_the_one_that_drops_less_stays(bench: Bench) -> None:
    found = simple(bench, theirs=THEIRS + b"more\n")
    for first, second in (("cp theirs f", "cp {ours} {output}"), ("true", "cp {theirs} {output}")):
        first = first.replace("cp theirs f", "sed -i 's/ours 6/theirs 6/' f; echo more >> f")
        made = climbed(bench, found, ladder(regenerate=(("f", first),), structural=(("f", second),)))
        assert [rung.verdict for rung in made.tried[2:]] == ["refused", "refused"]
        assert len(made.files[0].lost) == 1


def test_what_is_generated_from_a_file_that_only_a_later_rung_settles_is_made_again(bench: Bench) -> None:
    found = clash(
        bench,
        base={"names": b"a\n", "lock": b"lock a\n"},
        ours={"names": b"a\no\n", "lock": b"lock a\nlock o\n"},
        theirs={"names": b"a\nt\n", "lock": b"lock a\nlock t\n"},
    )
    settings = ladder(
        regenerate=(("lock", "sed 's/^/lock /' names > lock"),),
        structural=(("names", "sort -u {ours} {theirs} > {output}"),),
    )
    made = climbed(bench, found, settings)
    assert [(rung.name, rung.verdict) for rung in made.tried[2:]] == [
        ("regenerate", "refused"),
        ("structural", "settled"),
        ("regenerate", "settled"),
    ]
    assert result(bench, found, made, "lock") == b"lock a\nlock o\nlock t\n"


@pytest.mark.parametrize("name", ["union", "structural", "recorded"])
def test_what_has_no_hunks_is_for_no_such_rung(bench: Bench, name: str) -> None:
    found = clash(bench, base={"f": b"\0"}, ours={"f": b"\x001"}, theirs={"f": b"\x002"})
    made = climbed(bench, found, ALL_BUT[name])
    assert {rung.verdict for rung in made.tried} == {"not applicable"}
    assert not made.settled and all(rung.detail for rung in made.tried)


# What commands do


def test_a_command_meets_ours_without_markers_and_what_is_settled_and_its_other_changes_are_left_out(
    bench: Bench,
) -> None:
    text = dict.fromkeys(("f", "g", "log"), BASE)
    found = clash(bench, base={**text}, ours=dict.fromkeys(text, OURS), theirs=dict.fromkeys(text, THEIRS))
    look = "cat log g > seen; echo x >> other; rm -f g; sed -i '/^ours 6/a theirs 6' f; ! grep -rq '<<<<<<<' ."
    made = climbed(bench, found, ladder(union=("log",), regenerate=(("f", look),)))
    assert files_of(bench.sandbox("ladder").folder)["seen"] == BOTH + OURS
    assert made.tried[2].detail == "f; it also changed g, other, seen, which is left out; made with ours' version of g"
    tree = resolve(bench.control, found.tree, take(take_proposals(made.files), Side.THEIRS, "g"))
    assert (bench.text(tree, "other"), bench.text(tree, "seen"), bench.text(tree, "g")) == (b"other\n", None, THEIRS)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program --now", "f: was not found: "),
        ("echo this is why; exit 3", "f: ended with 3: this is why"),
        ("sleep 60", "f: did not end in 0.5 s"),
        ("echo '<<<<<<< ours' > TARGET", "f: left a conflict marker in line 1"),
    ],
)
@pytest.mark.parametrize("name", ["regenerate", "structural"])
def test_a_command_that_comes_to_nothing_is_told_why(bench: Bench, name: str, command: str, words: str) -> None:
    command = command.replace("TARGET", "f" if name == "regenerate" else "{output}")
    made = climbed(bench, simple(bench), ladder(**{name: (("f", command),)}, seconds=0.5))
    assert words in only(made, name, "failed").detail
    assert not any(file.proposed_by for file in made.files)


@pytest.mark.parametrize(
    ("command", "words"),
    [("true {output}", "f: wrote no result"), ("ln -s /etc/passwd {output}", "no result that is a plain file")],
)
def test_a_program_that_leaves_no_plain_file_has_failed(bench: Bench, command: str, words: str) -> None:
    assert (
        words
        in only(climbed(bench, simple(bench), ladder(structural=(("f", command),))), "structural", "failed").detail
    )
    command = command.replace("true {output}", "rm f").replace("ln -s /etc/passwd {output}", "ln -sf /etc/passwd f")
    made = climbed(bench, simple(bench), ladder(regenerate=(("f", command),)))
    assert only(made, "regenerate", "failed").detail == "f: the command left no plain file there"


def test_a_program_gets_the_base_in_its_markers_and_the_name_of_the_file(bench: Bench) -> None:
    path = "it's $(touch ran) here/a b.py"
    found = simple(bench, b"top\nsame\nb\nend\n", b"top\nnew\no\nend\n", b"top\nnew\nt\nend\n", path)
    show = "cat {marked} > {output}; printf '%s' {path} > ../../told; ls {base} {ours} {theirs} >> ../../told"
    made = climbed(bench, found, ladder(structural=(("**/*.py", show),)))
    assert "left a conflict marker in line 2" in only(made, "structural", "failed").detail
    told = (bench.repository.path / ".uet/told").read_text()
    assert told.startswith(path) and told.count(".py\n") == 3
    assert not list(bench.repository.path.rglob("ran"))
    solve = "sed -i -e '/^[<=>|]\\{7\\}/d' -e '/^same$/d' -e '/^b$/d' {marked}"
    made = climbed(bench, found, ladder(structural=(("**/*.py", solve),)))
    assert result(bench, found, made, path) == b"top\nnew\no\nnew\nt\nend\n", "all of both sides, as diff3 shows it"


def test_a_result_keeps_the_mode_that_git_merged(bench: Bench) -> None:
    first = bench.first({"f": BASE})
    ours = bench.commit(first, {"f": Entry("100755", bench.control.write_blob(OURS))})
    found = merge(bench.control, ours, bench.commit(first, {"f": THEIRS}))
    assert isinstance(found, Conflicted)
    made = climbed(bench, found, ladder(union=("f",)))
    entry = bench.control.entry(resolve(bench.control, found.tree, take_proposals(made.files)), "f")
    assert entry is not None and (entry.mode, bench.control.read_blob(entry.oid)) == ("100755", BOTH)


# What a whole tree proposes


def test_a_tree_proposes_what_was_asked_and_what_else_it_touched_is_held_against_it(bench: Bench) -> None:
    text = dict.fromkeys(("f", "g"), BASE)
    found = clash(bench, base={**text}, ours=dict.fromkeys(text, OURS), theirs=dict.fromkeys(text, THEIRS))
    control = bench.control
    files = climbed(bench, found, ladder(union=("g",))).files
    start = with_settled(control, found.tree, files, marked=True)
    assert bench.text(start, "g") == BOTH and b"<<<<<<<" in (bench.text(start, "f") or b"")
    commit = control.commit_tree(start, (), "start")
    good = control.tree_of(bench.commit(commit, {"f": BOTH}))
    made, evidence = propose_tree(control, start, files, good, "agent")
    assert (evidence, [(file.proposed_by, holds(file)) for file in made]) == ((), [("agent", True), ("union", True)])
    stray = control.tree_of(bench.commit(commit, {"f": BOTH, "g": b"x\n", "other": None}))
    made, evidence = propose_tree(control, start, files, stray, "agent")
    assert evidence == tuple(f"touched {path}, which was not in conflict" for path in ("g", "other"))
    assert [(file.proposed_by, holds(file)) for file in made] == [("agent", False), ("union", True)]
    left, evidence = propose_tree(control, start, files, start, "agent")
    assert "f:6 is a conflict marker that was left" in evidence
    assert not holds(left[0])
    gone, evidence = propose_tree(control, start, files, control.tree_of(bench.commit(commit, {"f": None})), "agent")
    assert (gone[0].proposed, gone[0].proposed_by, len(evidence)) == (None, "agent", 2)
    tree = resolve(control, found.tree, take(gone, Side.PROPOSAL))
    assert (bench.text(tree, "f"), bench.text(tree, "g")) == (None, BOTH)
