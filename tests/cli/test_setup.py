import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.cli.scene import make_run
from tests.support.repository import Repository
from uet_tui.resources import CONFIG
from uet_tui.settings.layers import FILES, load_settings


@pytest.fixture
def inside(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(repository.path)
    return repository


def test_init_writes_a_plan_that_is_valid_and_configuration_that_changes_nothing(uet: Uet, inside: Repository) -> None:
    said = uet("init")
    assert said.code == 0
    assert "uet run --agent simulated" in said.out
    assert uet("validate").code == 0
    assert load_settings(inside.path, {}).settings == load_settings(None, {}).settings


def test_the_commented_values_are_the_shipped_ones_when_the_comments_are_taken_away(
    uet: Uet, inside: Repository
) -> None:
    uet("init")
    for name in FILES:
        written = (inside.path / "config" / name).read_text().splitlines()
        values = {line.removeprefix("# ") for line in written}
        shipped = [line for line in (CONFIG / name).read_text().splitlines() if line and not line.startswith("#")]
        assert values.issuperset(shipped)


def test_init_overwrites_nothing(uet: Uet, inside: Repository) -> None:
    inside.write("config/uet.yaml", "workers: 2\n")
    inside.write("workstreams/mine.yaml", "[]\n")
    document = uet("init", "--json").document
    assert (inside.path / "config/uet.yaml").read_text() == "workers: 2\n"
    assert [path.name for path in (inside.path / "workstreams").iterdir()] == ["mine.yaml"]
    assert document["kept"] == ["config/uet.yaml"]
    assert sorted(document["written"]) == ["config/agents.yaml", "config/budget.yaml", "config/gates.yaml"]
    assert uet("init", "--json").document["written"] == []


def test_init_writes_through_no_link(uet: Uet, inside: Repository, tmp_path: Path) -> None:
    (inside.path / "config").mkdir()
    (inside.path / "config/uet.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    uet("init")
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_init_from_a_folder_below_writes_at_the_root(
    uet: Uet, inside: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inside.path / "src")
    uet("init")
    assert (inside.path / "config/uet.yaml").exists()


def test_init_outside_a_repository_is_refused(uet: Uet, here: Path) -> None:
    said = uet("init")
    assert (said.code, "git init" in said.line) == (2, True)
    assert list(here.iterdir()) == []


def test_init_where_config_is_a_file_is_told(uet: Uet, inside: Repository) -> None:
    inside.write("config", "mine")
    assert "config" in uet("init").line


def test_config_says_what_holds_and_where_it_came_from(
    uet: Uet, inside: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.write("config/uet.yaml", "\nworkers: 3\n")
    monkeypatch.setenv("UET_RETRY__JITTER", "0.25")
    found = uet("config", "--json", "--set", "land=never").document["settings"]
    assert found["workers"] == {"value": 3, "from": "config/uet.yaml:2"}
    assert found["retry.jitter"] == {"value": 0.25, "from": "UET_RETRY__JITTER"}
    assert found["land"] == {"value": "never", "from": "--set land=never"}
    assert found["budget.max_cost_total"]["value"] is None
    lines = [line.split() for line in uet("config").out.splitlines()]
    assert ["workers", "config/uet.yaml:2", "3"] in lines


def test_config_does_not_show_a_secret_that_is_set_for_an_agent(uet: Uet, inside: Repository) -> None:
    inside.write("config/agents.yaml", "agents: {shell: {set: {API_KEY: sk-0123456789, API_BASE: http://127.0.0.1}}}\n")
    found = uet("config", "--json").document["settings"]
    assert found["agents.shell.set.API_KEY"] == {"value": "«API_KEY»", "from": "config/agents.yaml:1"}
    assert found["agents.shell.set.API_BASE"]["value"] == "http://127.0.0.1"
    assert "sk-0123456789" not in uet("config").out


def test_a_wrong_configuration_is_one_line_whatever_the_command(uet: Uet, inside: Repository) -> None:
    inside.write("config/uet.yaml", "wokers: 3\n")
    for command in ("config", "validate", "run --headless"):
        said = uet(*command.split())
        assert said.code == 2
        assert said.line == "config/uet.yaml:1: unknown key `wokers`; did you mean `workers`?"
    assert not (inside.path / ".uet").exists()


def test_health_is_0_where_all_is_sound_and_notes_what_could_be_better(uet: Uet, inside: Repository) -> None:
    inside.write(
        "config/agents.yaml", "agents: {mine: {command: [no-such-program], prompt: text, env: [], usage: none}}"
    )
    said = uet("health", "--json")
    assert (said.code, said.document["sound"]) == (0, True)
    checks = {check["name"]: check for check in said.document["checks"]}
    assert checks["git"]["verdict"] == "ok"
    assert checks["repository"]["found"] == str(inside.path)
    assert checks["agent mine"]["verdict"] == "note"
    assert "agents.mine.command" in checks["agent mine"]["fix"]
    assert "✓ ok" in uet("health").out


def test_health_names_what_setting_a_sandbox_up_printed(uet: Uet, inside: Repository) -> None:
    uet("init")
    sets = ("sandbox.setup=['test -e /no/such/thing']", "workers=1", "simulated.speed=50")
    uet("run", "--headless", "--agent", "simulated", *(word for given in sets for word in ("--set", given)))
    check = next(c for c in uet("health", "--json").document["checks"] if c["name"] == "setup 1")
    assert check["verdict"] == "note"
    assert check["fix"].startswith("see ")
    assert Path(check["fix"].removeprefix("see ")).read_text() == "$ test -e /no/such/thing\n"


@pytest.mark.parametrize(("budget_gb", "verdict"), [(0, "ok"), (1000, "ok"), (0.00001, "note")])
def test_health_says_what_the_runs_take_on_the_disk(
    uet: Uet, inside: Repository, budget_gb: float, verdict: str
) -> None:
    inside.write(".uet/runs/r/sandboxes/1/large", "x" * 2_000_000)
    inside.write("config/uet.yaml", f"disk_budget_gb: {budget_gb:f}\n")
    check = next(c for c in uet("health", "--json").document["checks"] if c["name"] == "disk budget")
    assert check["verdict"] == verdict
    assert check["found"].startswith(f"0.0 GB in {inside.path}/.uet, of which sandboxes 0.0")
    assert check["fix"] == ("uet clean" if verdict == "note" else "")


def test_health_is_1_where_a_setting_is_wrong_and_says_how_to_mend_it(uet: Uet, inside: Repository) -> None:
    inside.write("config/uet.yaml", "wokers: 3\n")
    said = uet("health")
    assert said.code == 1
    assert "✗ bad   settings" in said.out


def test_health_is_1_where_git_is_too_old(
    uet: Uet, inside: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uet_tui.workspace.git import find_git

    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    find_git.cache_clear()
    try:
        document = uet("health", "--json").document
        assert not document["sound"]
        assert "2.38" in next(check for check in document["checks"] if check["name"] == "git")["fix"]
    finally:
        find_git.cache_clear()


def test_health_is_1_where_the_store_is_none(uet: Uet, inside: Repository) -> None:
    inside.write(".uet/uet.db", "rubbish")
    said = uet("health")
    assert said.code == 1
    assert "✗ bad   store" in said.out


def test_health_looks_at_memory_and_clock_and_at_the_keys_of_agents(uet: Uet, inside: Repository) -> None:
    inside.write(
        "config/agents.yaml",
        "agents: {mine: {command: [sh], prompt: text, env: [], usage: none, keys: [NO_SUCH_KEY]}}",
    )
    checks = {check["name"]: check for check in uet("health", "--json").document["checks"]}
    assert checks["memory"]["found"].endswith("GB available")
    assert checks["clock"]["verdict"] == "ok"
    assert (checks["agent mine"]["verdict"], checks["agent mine"]["found"]) == ("note", "it has no key")
    assert "NO_SUCH_KEY" in checks["agent mine"]["fix"]


def test_health_is_1_where_pages_of_the_store_are_damaged(uet: Uet, inside: Repository) -> None:
    make_run(inside.path)
    database = inside.path / ".uet/uet.db"
    with closing(sqlite3.connect(database)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.execute("PRAGMA journal_mode=WAL")
        ((page,),) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'uet_events'")
        ((size,),) = store.execute("PRAGMA page_size")
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    said = uet("health")
    assert said.code == 1
    assert "✗ bad   store" in said.out
