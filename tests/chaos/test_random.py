"""Killed at random instants, a run of thirty workstreams comes to what it would have come to undisturbed."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos import plans
from tests.chaos.cases import RUN
from tests.chaos.stage import Stage, died
from tests.support.wait import until

KILLS = 200
KILLS_A_RUN = 20
PAIRS = 24
"""How often the program is killed a second time while it recovers."""


def seed_of(name: str) -> random.Random:
    """Chance that can be had again: UET_CHAOS_SEED; the seed is printed."""
    seed = int(os.environ.get("UET_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"{name}: seed {seed} (again with UET_CHAOS_SEED={seed})")  # noqa: T201 - whoever looks into it needs that
    return random.Random(seed)


def kill_at_random(stage: Stage, chance: random.Random, kills: int, longest: float) -> int:
    """Kills the program at random instants, until the run is over or so many times; says how often it did."""
    for done in range(kills):
        if stage.run and stage.state == "COMPLETED":
            return done
        process = stage.begin(*stage.orchestrate())
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=chance.uniform(0.5, longest))
        process.kill()
        process.communicate()
        stage.check_always()
    return kills


@pytest.mark.xdist_group("chaos")
def test_killed_a_few_times_at_random_a_run_comes_to_the_same_end(folder: Path, tree_of_six: str) -> None:
    stage = Stage(folder, plans.six())
    kill_at_random(stage, random.Random(7), 4, 2.5)
    stage.to_the_end()
    stage.check(tree_of_six)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(KILLS // KILLS_A_RUN))
def test_killed_at_random_thirty_workstreams_come_to_the_same_end(folder: Path, tree_of_thirty: str, part: int) -> None:
    chance, kills = seed_of(f"part {part}"), 0
    while kills < KILLS_A_RUN:
        stage = Stage(folder / f"after-{kills}", plans.thirty())
        kills += kill_at_random(stage, chance, KILLS_A_RUN - kills, 3.0)
        stage.to_the_end()
        stage.check(tree_of_thirty)


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("pair", range(PAIRS))
def test_killed_again_while_it_recovers_a_run_comes_to_the_same_end(folder: Path, tree_of_six: str, pair: int) -> None:
    chance = seed_of(f"pair {pair}")
    first = chance.choice([name for name in RUN if "checkpoint" not in name and not name.startswith("keeper.")])
    second = chance.choice([name for name in RUN if name.startswith(("recovery.", "orchestrator.c", "run.c", "sand"))])
    stage = Stage(folder, plans.six())
    assert died(stage.do(*stage.orchestrate(), point=first)), first
    stage.trace.unlink()
    stage.do(*stage.orchestrate(), point=second)
    stage.check_always()
    stage.to_the_end()
    stage.check(tree_of_six)


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("whom", ["keeper", "agent", "all"])
def test_whoever_is_killed_a_run_comes_to_the_same_end(folder: Path, tree_of_six: str, whom: str) -> None:
    stage = Stage(folder, plans.six())
    process = stage.begin(*stage.orchestrate())
    until(stage.keepers, 20, "a keeper")
    keepers = stage.keepers()
    agents = [agent for pid in keepers for agent in _children(pid)]
    victims = {"keeper": [*keepers], "agent": agents, "all": [process.pid, *keepers, *agents]}[whom]
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=120)
    stage.to_the_end()
    stage.check(tree_of_six, every_cost=False)


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_an_orchestrator_that_was_stopped_for_a_while_goes_on(folder: Path, tree_of_six: str) -> None:
    stage = Stage(folder, plans.six())
    process = stage.begin(*stage.orchestrate())
    until(lambda: stage.lines("ran"), 20, "an agent")
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(5)  # what is shown is that time passes
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=120)
    stage.to_the_end()
    stage.check(tree_of_six)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
