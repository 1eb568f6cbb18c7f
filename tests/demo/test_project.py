"""The project and the plan that the demo plays: sound before, sound after, and a real choice in between."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from uet_tui.agents import simulated
from uet_tui.plan.model import Workstream
from uet_tui.plan.validate import Loaded, load_plan
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "uet_tui" / "demo" / "project"
FIELDS_WITHOUT_A_PLACE = {"capability", "capability_payload"}
"""What no agent of the demo could heed."""


@pytest.fixture
def settings() -> Settings:
    return load_settings(PROJECT, {}).settings


def load(folder: Path, settings: Settings) -> Loaded:
    gates = [name for name, gate in settings.gates.items() if gate.commands]
    return load_plan(folder, tools=settings.agents, gates=gates, overlap=settings.overlap)


@pytest.fixture
def workstreams(settings: Settings) -> list[Workstream]:
    """Those of the demo, each after what it depends on."""
    plan = load(PROJECT / "workstreams", settings).plan
    assert plan is not None
    return [plan.workstreams[id] for wave in plan.waves for id in wave]


def edits(ws: Workstream) -> list[dict[str, str]]:
    found: list[dict[str, str]] = ws.metadata["simulate"].get("edits", [])
    return found


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project, where edits are made."""
    folder = tmp_path / "checkout"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    yield folder


def unittest(folder: Path) -> tuple[int, int]:
    """How many of the project's tests ran and passed."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "-q"], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    words = next(line for line in done.stderr.splitlines() if line.startswith("Ran ")).split()
    return int(words[1]), done.returncode


def test_the_plan_is_valid_and_warns_of_the_one_conflict_that_is_meant(settings: Settings) -> None:
    loaded = load(PROJECT / "workstreams", settings)
    assert [str(error) for error in loaded.errors] == []
    assert len(loaded.warnings) == 1
    assert "ws-due-column and ws-status-column both write" in loaded.warnings[0].message
    assert loaded.plan is not None
    assert [len(wave) for wave in loaded.plan.waves] == [4, 1, 5, 3, 2]


def test_the_sample_plan_of_the_checkout_is_valid_and_warns_of_nothing() -> None:
    loaded = load(ROOT / "workstreams", load_settings(None, {}).settings)
    assert [*map(str, loaded.errors), *map(str, loaded.warnings)] == []
    assert loaded.plan is not None and len(loaded.plan.waves) == 4


@pytest.mark.parametrize("folder", [PROJECT / "workstreams", ROOT / "workstreams"], ids=["demo", "sample"])
def test_a_plan_to_look_at_is_in_every_notation(folder: Path) -> None:
    assert {path.suffix for path in folder.iterdir()} >= {".json", ".jsonc", ".yaml"}


def test_the_plan_uses_every_field_that_the_demo_can_show(settings: Settings) -> None:
    bundles = load(PROJECT / "workstreams", settings).bundles
    used = {str(key) for bundle in bundles for key in (bundle.source.inside if bundle.source else ())}
    assert set(Workstream.model_fields) - used == FIELDS_WITHOUT_A_PLACE


def test_every_workstream_differs_in_cost_and_the_budget_holds_them_all(
    workstreams: list[Workstream], settings: Settings
) -> None:
    costs: dict[str, float] = {ws.id: ws.metadata["simulate"]["cost_usd"] for ws in workstreams}
    assert [cost for cost, times in Counter(costs.values()).items() if times > 1] == []
    assert all(costs[ws.id] <= (ws.max_cost_usd or 0) for ws in workstreams)
    assert sum(ws.max_cost_usd or 0 for ws in workstreams) <= (settings.budget.max_cost_total or 0)


def test_a_person_has_time_to_watch_and_not_too_much(workstreams: list[Workstream]) -> None:
    assert all(2 <= (ws.estimated_seconds or 0) <= 9 for ws in workstreams)


def test_agents_stay_inside_their_scope_and_find_what_they_replace(
    workstreams: list[Workstream], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ws in workstreams:
        if ws.id == "ws-status-column":
            continue  # it starts from the same tree as ws-due-column, not after it
        simulated.apply(edits(ws))
    assert capsys.readouterr().out == ""
    assert checkout.joinpath("CHANGELOG.md").read_text().startswith("# Changes\n\n## 2.0.0")


DUE, STATUS = '    "due",\n', '    "status",\n'
BY_DUE = "    return terms.due_on(invoice), invoice.number\n"
BY_STATUS = "    return payments.is_paid(invoice), invoice.number\n"


@pytest.mark.parametrize("column", [DUE, STATUS, DUE + STATUS, STATUS + DUE], ids=["ours", "theirs", "both", "turned"])
@pytest.mark.parametrize("order", [BY_DUE, BY_STATUS, BY_DUE + BY_STATUS], ids=["ours", "theirs", "both"])
def test_the_tests_pass_whichever_side_is_taken_for_either_hunk(
    column: str, order: str, workstreams: list[Workstream], checkout: Path
) -> None:
    for ws in workstreams:
        wanted = [edit for edit in edits(ws) if edit["path"] != "ledger/listing.py" or ws.id == "ws-columns"]
        simulated.apply(wanted)
    listing = checkout / "ledger" / "listing.py"
    text = listing.read_text()
    for before, after in (('    "total",\n', f'{column}    "total",\n'), ("    return invoice.number\n", order)):
        assert text.count(before) == 1
        text = text.replace(before, after)
    listing.write_text(text)
    assert unittest(checkout) == (35, 0)


def test_the_projects_own_tests_pass_before_anything_is_done(checkout: Path) -> None:
    assert unittest(checkout) == (13, 0)
