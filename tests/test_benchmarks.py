"""What the benchmarks stand on works: nobody should wait for minutes to learn that one measured nothing."""

import importlib
import json
import pkgutil
import subprocess
from pathlib import Path

import pytest

import benchmarks
from benchmarks import _scratch

NAMES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_begun(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").main)


@pytest.mark.parametrize("after_the_first", [False, True])
def test_the_plan_of_a_benchmark_is_valid_in_its_repository(tmp_path: Path, after_the_first: bool) -> None:
    repository = _scratch.make_repository(tmp_path / "repository", 3)
    plan = _scratch.make_plan(tmp_path / "plan.json", ["true"] * 3, after_the_first=after_the_first)
    done = subprocess.run(
        [*_scratch.UET, "validate", str(plan), "--json"],
        cwd=repository,
        env=_scratch.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len(wave) for wave in json.loads(done.stdout)["waves"]] == ([1, 2] if after_the_first else [3])
