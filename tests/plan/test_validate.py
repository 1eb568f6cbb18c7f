import dataclasses
import json
from pathlib import Path

import pytest

from tests.plan.samples import declared, write
from uet_tui.plan.validate import Loaded, load_plan


def load(path: Path, overlap="serialize", gates=("GATE_UNIT",)) -> Loaded:
    return load_plan(path, tools={"shell", "simulated"}, gates=gates, overlap=overlap)


def loaded_error(loaded: Loaded) -> tuple[int, str]:
    (error,) = loaded.errors
    assert loaded.plan is None
    assert not loaded.valid
    return error.line, error.message


def line_with(file: Path, text: str) -> int:
    return next(n for n, line in enumerate(file.read_text().split("\n"), 1) if text in line)


def test_a_sound_plan_is_valid_and_silent(tmp_path: Path):
    write(tmp_path / "a.json", [declared(id="ws-a"), declared(id="ws-b", depends_on=["ws-a"])])
    loaded = load(tmp_path)
    assert loaded.valid
    assert loaded.plan is not None
    assert loaded.plan.waves == (("ws-a",), ("ws-b",))
    assert (loaded.errors, loaded.warnings) == ((), ())


def test_a_duplicate_id_names_both_places(tmp_path: Path):
    write(tmp_path / "a.json", declared(id="ws-a"))
    file = write(tmp_path / "b.json", [declared(id="ws-b"), declared(id="ws-a")])
    line, message = loaded_error(load(tmp_path))
    assert line == line_with(file, '"ws-a"')
    assert message == f"ws-a is declared a second time, first at {tmp_path / 'a.json'}:2: rename one of them"


def test_an_unknown_dependency_names_the_nearest_id(tmp_path: Path):
    file = write(tmp_path / "a.json", [declared(id="ws-parser"), declared(id="ws-b", depends_on=["ws-parsr"])])
    line, message = loaded_error(load(file))
    assert line == line_with(file, "ws-parsr")
    assert 'depends on "ws-parsr", which is not in the plan (did you mean ws-parser?)' in message


def test_what_could_not_be_read_is_not_also_reported_as_unknown(tmp_path: Path):
    write(tmp_path / "a.json", [declared(id="ws-a", gate=0), declared(id="ws-b", depends_on=["ws-a"])])
    assert "gate must be 1 or more" in loaded_error(load(tmp_path))[1]


def test_a_dependency_on_itself_is_an_error(tmp_path: Path):
    file = write(tmp_path / "a.json", declared(id="ws-a", depends_on=["ws-a"]))
    assert loaded_error(load(file)) == (
        line_with(file, "depends_on") + 1,
        "ws-a depends on itself: remove it from depends_on",
    )


def test_a_cycle_is_named_with_its_place(tmp_path: Path):
    needs = {"ws-a": "ws-b", "ws-b": "ws-c", "ws-c": "ws-a"}
    for id_, need in needs.items():
        write(tmp_path / f"{id_}.json", declared(id=id_, depends_on=[need]))
    (error,) = load(tmp_path).errors
    assert (error.file, error.line) == (str(tmp_path / "ws-a.json"), line_with(tmp_path / "ws-a.json", "ws-b"))
    assert error.message.startswith("ws-a -> ws-b -> ws-c -> ws-a: each waits for the next")


def test_an_unknown_tool_is_one_error_that_lists_the_known_ones(tmp_path: Path):
    file = write(tmp_path / "a.json", [declared(id=f"ws-{n}", tool="shel") for n in range(3)])
    line, message = loaded_error(load(file))
    assert line == line_with(file, '"tool"')
    assert message.startswith('ws-0 (and 2 more) wants the tool "shel", which is not configured (did you mean shell?)')
    assert "write one of shell, simulated" in message


def test_gates_without_commands_warn_once_each(tmp_path: Path):
    gates = [{"type": "GATE_UNIT"}, {"type": "GATE_LINT"}]
    write(tmp_path / "a.json", [declared(id=f"ws-{n}", test_gates=gates) for n in range(3)])
    loaded = load(tmp_path)
    assert loaded.valid
    (warning,) = loaded.warnings
    assert "ws-0 (and 2 more) wants GATE_LINT, which has no commands" in warning.message


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_files(tmp_path: Path):
    write(tmp_path / "b.json", declared(id="ws-b", tool="x", depends_on=["ws-a"]))
    write(tmp_path / "a.json", declared(id="ws-a", tool="y", depends_on=["ws-b"]))
    errors = load(tmp_path).errors
    assert [(Path(error.file).name, error.line) for error in errors] == sorted(
        (Path(error.file).name, error.line) for error in errors
    )
    assert sorted(Path(error.file).name for error in errors) == ["a.json", "a.json", "b.json"]


def overlapping(folder: Path, count: int) -> Path:
    return write(folder / "a.json", [declared(id=f"ws-{n:02}", files_scope=["docs/"]) for n in range(count)])


@pytest.mark.parametrize(("policy", "advice"), [("serialize", "one after the other"), ("allow", "at the same time")])
def test_scopes_that_overlap_without_a_dependency_warn(tmp_path: Path, policy, advice):
    loaded = load(overlapping(tmp_path, 2), policy)
    assert loaded.valid
    (warning,) = loaded.warnings
    assert 'ws-00 and ws-01 both write "docs/" and neither depends on the other' in warning.message
    assert advice in warning.message
    assert warning.line == 20  # the files_scope of ws-01


def test_scopes_that_overlap_are_errors_where_the_setting_says_so(tmp_path: Path):
    assert "different files" in loaded_error(load(overlapping(tmp_path, 2), "error"))[1]


def test_a_dependency_between_them_allows_an_overlap(tmp_path: Path):
    rows = [("ws-a", []), ("ws-b", ["ws-a"]), ("ws-c", ["ws-b"])]
    write(tmp_path / "a.json", [declared(id=id_, depends_on=needs, files_scope=["docs/"]) for id_, needs in rows])
    assert load(tmp_path, "error").warnings == ()
    assert load(tmp_path, "error").valid


def test_many_overlaps_are_counted_and_not_all_told(tmp_path: Path):
    warnings = load(overlapping(tmp_path, 50)).warnings
    assert len(warnings) == 21
    assert str(warnings[-1]) == "and 1,205 more pairs overlap in the same way"


def test_declared_durations_make_the_critical_path(tmp_path: Path):
    rows = [declared(id="ws-a"), declared(id="ws-b"), declared(id="ws-c", estimated_seconds=0.5)]
    write(tmp_path / "a.json", rows)
    plan = load_plan(tmp_path, tools=["shell"], gates=[], overlap="allow", default_seconds=0.25).plan
    assert plan is not None
    assert plan.critical_path == ("ws-c",)


def test_a_folder_that_holds_nothing_is_one_error(tmp_path: Path):
    assert "holds no bundles" in loaded_error(load(tmp_path))[1]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"id": "ws-a", "gate": NaN}', "\ud800", '{"a": 1, "a": 2}'])
def test_a_file_that_is_no_json_is_one_error(tmp_path: Path, text):
    file = tmp_path / "a.json"
    file.write_bytes(text.encode(errors="surrogatepass"))
    assert loaded_error(load(file))[1]


@pytest.mark.shared_data
def test_the_founding_plan_is_as_it_is_known(phase_i_plan: Path):
    loaded = load_plan(phase_i_plan, tools={"aider", "codex"}, gates=(), overlap="serialize")
    assert loaded.plan is not None
    assert loaded.errors == ()
    assert len(loaded.plan.workstreams) == 36
    assert [len(wave) for wave in loaded.plan.waves] == [12, 8, 4, 3, 2, 2, 3, 2]
    assert len(loaded.plan.critical_path) == 8
    assert loaded.plan.critical_path[-1] == "ws-21-ci-gate-path-standards"
    pairs = [warning for warning in loaded.warnings if "both write" in warning.message]
    assert len(pairs) == 20
    assert loaded.warnings[-1].message.startswith("and 3 more pairs")


SHOW = """
import dataclasses, json, sys
from pathlib import Path
from uet_tui.plan.validate import load_plan
loaded = load_plan(Path(sys.argv[1]), tools={"aider", "codex"}, gates=(), overlap="serialize")
print(json.dumps([{**dataclasses.asdict(loaded.plan), "workstreams": list(loaded.plan.workstreams)},
                  [str(problem) for problem in loaded.warnings]]))
"""


@pytest.mark.shared_data
def test_the_founding_plan_is_the_same_for_every_hash_seed(phase_i_plan: Path):
    import os
    import subprocess
    import sys

    shown = [
        subprocess.run(
            [sys.executable, "-c", SHOW, phase_i_plan],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "7", "42")
    ]
    assert len(set(shown)) == 1
    plan, warnings = json.loads(shown[0])
    assert len(plan["workstreams"]) == 36
    assert len(warnings) == 21


def test_a_loaded_plan_cannot_be_changed(tmp_path: Path):
    loaded = load(write(tmp_path / "a.json", declared()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.plan = None  # type: ignore[misc]
