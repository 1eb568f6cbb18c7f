import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.plan.samples import COMPLETE, declared, write
from uet_tui.plan.bundles import Read, read_bundles
from uet_tui.plan.model import Kind, Workstream


def only_error(read: Read) -> str:
    assert read.bundles == ()
    (error,) = read.errors
    return str(error)


def test_an_object_or_a_list_of_them_is_read_from_a_file(tmp_path: Path):
    one = write(tmp_path / "one.json", COMPLETE)
    two = write(tmp_path / "two.json", [declared(id="ws-b"), declared(id="ws-c", kind="docs")])
    assert [bundle.workstream.id for bundle in read_bundles(one).bundles] == ["ws-a"]
    read = read_bundles(two)
    assert [(b.workstream.id, b.file, b.line) for b in read.bundles] == [("ws-b", two, 2), ("ws-c", two, 15)]
    assert read.bundles[1].workstream.kind is Kind.DOCS
    assert (read.errors, read.warnings) == ((), ())


def test_the_three_notations_say_the_same(tmp_path: Path):
    write(tmp_path / "a.json", COMPLETE)
    (tmp_path / "a.jsonc").write_text("// the first\n" + (tmp_path / "a.json").read_text())
    (tmp_path / "a.yml").write_text(
        "id: ws-a\nopenspec_change: OS-1\nccpm_issue: 1\ngate: 1\nfiles_scope: [src/a.py]\n"
        "tasks:\n- 'true'\ntool: shell"
    )
    read = read_bundles(tmp_path)
    assert [bundle.workstream for bundle in read.bundles] == [Workstream.model_validate(COMPLETE)] * 3
    assert [bundle.line for bundle in read.bundles] == [1, 2, 1]


def test_a_folder_is_read_in_order_without_hidden_files_other_files_and_folders_in_it(tmp_path: Path):
    for name in ("b.JSON", "a.json", ".hidden.json", "notes.txt"):
        write(tmp_path / name, declared(id="ws-" + name[0].replace(".", "h")))
    (tmp_path / "deferred.json").mkdir()
    write(tmp_path / "deferred.json" / "d.json", declared(id="ws-d"))
    assert [bundle.workstream.id for bundle in read_bundles(tmp_path).bundles] == ["ws-a", "ws-b"]


def test_scopes_get_their_one_spelling(tmp_path: Path):
    file = write(tmp_path / "a.json", declared(files_scope=["./src\\a//b.py", "docs/"], files_create=["x\\"]))
    (bundle,) = read_bundles(file).bundles
    assert bundle.workstream.write_scope == ("src/a/b.py", "docs/", "x/")


def test_the_line_of_every_field_is_known(tmp_path: Path):
    file = write(tmp_path / "a.json", [declared(), declared(id="ws-b", depends_on=["ws-a", "ws-c"])])
    bundle = read_bundles(file).bundles[1]
    lines = file.read_text().split("\n")
    assert '"depends_on"' in lines[bundle.line_of("depends_on") - 1]
    assert '"ws-c"' in lines[bundle.line_of("depends_on", 1) - 1]


def test_unknown_keys_warn_with_line_and_nearest_key(tmp_path: Path):
    extra = {"file_scope": [], "_comment_x": 1, "doc_id": "D", "circuit_breaker": {"max_atempts": 1}, "zz": 1}
    gates = [{"type": "GATE_UNIT", "requird": True, "_comment": ""}]
    file = write(tmp_path / "a.json", declared(**extra, test_gates=gates))
    read = read_bundles(file)
    assert len(read.bundles) == 1
    lines = file.read_text().split("\n")
    told = [
        (lines[warning.line - 1].split('"')[1], warning.message.partition("ignored")[2]) for warning in read.warnings
    ]
    assert told == [
        ("file_scope", " (did you mean files_scope?)"),
        ("max_atempts", " (did you mean max_attempts?)"),
        ("zz", ""),
        ("requird", " (did you mean required?)"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("id", 7, 'id must be text in quotes, not 7: write "7"'),
        ("id", "../../etc/x", "write it like ws-etc-x"),
        ("id", "-rf", "write it like ws-rf"),
        ("id", "a..b", "write it like ws-a-b"),
        ("id", "ws-a..b", "write it like ws-a-b"),
        ("id", "x.lock", "write it like ws-x-lock"),
        ("id", "ws-x.lock", "write it like ws-x-lock"),
        ("id", "a b", "write it like ws-a-b"),
        ("id", "ws-a b", "write it like ws-a-b"),
        ("id", "a\nb", "write it like ws-a-b"),
        ("id", "ws-a\nb", "write it like ws-a-b"),
        ("id", "ws-a\n", "write it like ws-a"),
        ("id", "@", "write it like ws-parser"),
        ("id", "-x", "write it like ws-x"),
        ("id", "uet", "write it like ws-uet"),
        ("id", "uet/x", "write it like ws-uet-x"),
        ("id", "ws-a/x", "write it like ws-a-x"),
        ("id", "ws-café", "write it like ws-cafe"),
        ("id", "ws-cafe\u0301", "write it like ws-cafe"),
        ("id", "ws-A", "write it like ws-a"),
        ("id", "A", "write it like ws-a"),
        ("id", "ws-" + "a" * 78, "id must be at most 80 characters long"),
        ("openspec_change", 1.5, 'openspec_change must be text in quotes, not 1.5: write "1.5"'),
        ("ccpm_issue", True, "ccpm_issue must be a whole number or text in quotes, not true"),
        ("gate", "1", 'gate must be a whole number, not "1": write 1'),
        ("gate", 1.5, "gate must be a whole number, not 1.5"),
        ("gate", 0, "gate must be 1 or more, not 0"),
        ("gate", True, "gate must be a whole number, not true"),
        ("files_scope", [], 'files_scope is an empty list: write at least one, such as ["src/parser/"]'),
        ("files_scope", "src/", 'files_scope must be a list, not "src/": write ["src/"]'),
        ("files_scope", [1], 'item 1 of files_scope must be text in quotes, not 1: write "1"'),
        ("tasks", {}, "tasks must be a list, not an object"),
        ("depends_on", None, "depends_on must be a list, not null: write []"),
        ("parallel_ok", "no", 'parallel_ok must be true or false, not "no"'),
        ("metadata", [], "metadata must be an object, not a list"),
        ("kind", "doc", 'refactor, background or spike, not "doc" (did you mean docs?)'),
        ("priority", -1, "priority must be foreground or background, not -1"),
        ("max_cost_usd", -1, "max_cost_usd must be 0 or more, not -1"),
        ("max_cost_usd", "NaN", 'max_cost_usd must be a number, not "NaN"'),
        ("timeout", 0, "timeout must be more than 0, not 0"),
        ("timeout", -1, "timeout must be more than 0, not -1"),
        ("estimated_context_tokens", -1, "estimated_context_tokens must be 0 or more, not -1"),
        ("circuit_breaker", 3, "circuit_breaker must be an object, not 3"),
        ("circuit_breaker", {"max_attempts": 0}, "max_attempts of circuit_breaker must be 1 or more, not 0"),
        ("test_gates", [{"type": "GATE_LNT"}], 'not "GATE_LNT" (did you mean GATE_LINT?)'),
        ("test_gates", [{}], 'in item 1 of test_gates type is missing: write it like "type": "GATE_UNIT"'),
        ("files_scope", ["../outside/s"], 'files_scope: "../outside/s" leads upwards'),
        ("files_scope", ["a", "/etc/passwd"], 'files_scope: "/etc/passwd" is absolute'),
        ("files_create", [".GIT/config"], "is inside git's own directory"),
        ("files_create", ["sub/.git/hooks/x"], "is inside git's own directory"),
        ("files_create", ["a\0b"], "holds a control character"),
        ("files_create", [""], "is empty"),
        ("files_create", ["."], "is the whole repository: write **"),
    ],
)
def test_a_wrong_value_is_one_error_with_its_line_and_what_to_write(tmp_path: Path, key, value, message):
    file = write(tmp_path / "a.json", {**declared(), key: value})
    (error,) = (read := read_bundles(file)).errors
    assert read.bundles == ()
    assert message in error.message
    first = next(n for n, line in enumerate(file.read_text().split("\n"), 1) if line.startswith(f' "{key}"'))
    assert first <= error.line <= first + 2
    assert "Input should" not in error.message


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1.10", 'openspec_change must be text in quotes, not 1.10: write "1.10"'),
        ("1e3", 'openspec_change must be text in quotes, not 1e3: write "1e3"'),
        ("-0", 'openspec_change must be text in quotes, not -0: write "-0"'),
        ("true", "openspec_change must be text in quotes, not true"),
    ],
)
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_a_number_that_should_be_text_is_told_as_it_is_written(tmp_path: Path, name, written, message):
    text = json.dumps(declared(openspec_change="12345")).replace('"12345"', written)
    assert written in text
    (tmp_path / name).write_text(text)
    assert message in only_error(read_bundles(tmp_path / name))


def test_missing_keys_are_one_error_that_says_what_to_write(tmp_path: Path):
    fields = {key: value for key, value in COMPLETE.items() if key not in ("gate", "tool")}
    file = write(tmp_path / "a.json", [fields])
    assert only_error(read_bundles(file)) == (
        f'{file}:2: gate and tool are missing: write it like "gate": 1, "tool": "shell"'
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "package"}, "this object is no workstream"),
        ([3], "a workstream is an object, not 3"),
        ("text", 'a workstream is an object, not "text"'),
        ([], "is an empty list"),
    ],
)
def test_what_is_no_workstream_at_all_is_one_error(tmp_path: Path, content, message):
    assert message in only_error(read_bundles(write(tmp_path / "a.json", content)))


def test_one_wrong_workstream_does_not_hide_the_others(tmp_path: Path):
    file = write(tmp_path / "a.json", [declared(gate=0), declared(id="ws-b")])
    read = read_bundles(file)
    assert [bundle.workstream.id for bundle in read.bundles] == ["ws-b"]
    assert len(read.errors) == 1


def test_many_errors_in_one_file_are_counted_and_not_all_told(tmp_path: Path):
    read = read_bundles(write(tmp_path / "a.json", list(range(60))))
    assert len(read.errors) == 51
    assert read.errors[-1].message == "and 10 more from here on"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "does not exist"),
        ("missing.json", "does not exist"),
        ("empty", "holds no bundles"),
        ("notes.txt", "is not a bundle by its name"),
        ("pipe.json", "is not a regular file"),
        ("dangling.json", "does not exist"),
        ("a\0b", "does not exist"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_a_path_without_bundles_is_one_error_that_names_it(tmp_path: Path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("{}")
    (tmp_path / "dangling.json").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.json")
    error = only_error(read_bundles(tmp_path / name))
    assert message in error
    assert str(tmp_path) in error


def test_a_file_name_that_is_no_text_can_still_be_shown(tmp_path: Path):
    file = tmp_path / os.fsdecode(b"\xff\x1b[31m\n.json")
    file.write_text("[")
    assert only_error(read_bundles(tmp_path)).isprintable()


def test_escape_sequences_in_a_bundle_do_not_reach_the_message(tmp_path: Path):
    file = write(tmp_path / "a.json", declared(kind="\x1b]52;c;AAAA\x07", tool=["\u202e"]))
    read = read_bundles(file)
    assert len(read.errors) == 2
    assert all(str(error).isprintable() for error in read.errors)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.fuzz
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([".json", ".yaml"]), st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
@example(".yaml", b"\xef\xbb\xbf{")
def test_any_bytes_give_workstreams_or_errors_and_never_raise(tmp_path: Path, ending, data):
    file = tmp_path / f"a{ending}"
    file.write_bytes(data)
    read = read_bundles(file)
    assert read.bundles or read.errors


@pytest.mark.fuzz
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(Workstream.model_fields)), plain, max_size=3))
def test_any_values_give_workstreams_or_errors_and_never_raise(tmp_path: Path, fields):
    file = write(tmp_path / "a.json", [{**declared(), **fields}])
    read = read_bundles(file)
    assert read.bundles or read.errors
    assert not any("Input should" in str(error) for error in read.errors)
