"""The plan of 36 workstreams that the project was founded on, through the real command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Repository

pytestmark = pytest.mark.shared_data


def uet(folder: Path, *arguments: str, seed: str = "0") -> "subprocess.CompletedProcess[str]":
    """The command, as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-m", "uet_tui", *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_it_is_valid_and_its_profile_is_the_same_for_every_hash_seed(
    phase_i_plan: Path, tmp_path: Path, seed: str
) -> None:
    done = uet(tmp_path, "validate", str(phase_i_plan), "--json", seed=seed)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["valid"]
    assert found["workstreams"] == 36
    assert [len(wave) for wave in found["waves"]] == [12, 8, 4, 3, 2, 2, 3, 2]
    assert len(found["critical_path"]) == 8
    assert found["critical_path"][-1] == "ws-21-ci-gate-path-standards"
    rows = {row["workers"]: (row["seconds"], round(row["speedup"], 2)) for row in found["forecast"]}
    assert {n: rows[n] for n in (1, 2, 4, 8)} == {1: (36, 1.0), 2: (18, 2.0), 4: (9, 4.0), 8: (8, 4.5)}


def test_a_rehearsal_merges_all_of_it(phase_i_plan: Path, repository: Repository) -> None:
    words = ("--agent", "simulated", "--headless", "--workers", "4", "--set", "simulated.speed=20", "--json")
    done = uet(repository.path, "run", str(phase_i_plan), *words)
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    assert status["counts"] == {"MERGED": 36}
    merges = repository.git("log", "--first-parent", "--merges", "--format=%s", f"uet/{status['run']}").splitlines()
    assert len(merges) == len(set(merges)) == 36
