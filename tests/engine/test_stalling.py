"""Whether an agent shows signs of life: by its output, or by the processor's time that its tree uses."""

import os
import subprocess
import sys

import pytest

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState
from uet_tui.engine.stalling import Pulse, cpu_of_tree, span


class Body:
    """An agent as a pulse feels it, at a clock of its own."""

    def __init__(self, stall_seconds: float = 60.0) -> None:
        self.pulse = Pulse(stall_seconds, lambda pid: self.cpu)
        self.now = 1000.0
        self.size = 0
        self.cpu: float | None = 0.0

    def after(self, seconds: int, cpu_share: float = 0.0) -> float:
        """For how long it was quiet, after so many seconds in each of which somebody looked."""
        quiet = 0.0
        for _ in range(seconds):
            self.now += 1
            if self.cpu is not None:
                self.cpu += cpu_share
            quiet = self.pulse.quiet("a", self.now, self.size, 1)
        return quiet


def test_who_neither_prints_nor_computes_is_quiet() -> None:
    body = Body()
    assert body.after(1) == 0
    assert body.after(59) == 59
    assert body.after(41, cpu_share=0.002) == 100, "what waits wakes up now and then"


def test_output_is_a_sign_of_life() -> None:
    body = Body()
    assert body.after(50) == 49
    body.size += 1
    assert body.after(1) == 0
    assert body.after(5) == 5


def test_work_is_a_sign_of_life_even_without_output() -> None:
    body = Body()
    body.after(50)
    assert body.after(60, cpu_share=0.5) <= 6
    assert body.after(60) >= 54


def test_an_unknown_time_of_the_processor_is_no_sign_of_life() -> None:
    body = Body()
    body.cpu = None
    assert body.after(61) == 60


def test_a_machine_that_slept_or_whose_clock_was_set_makes_nobody_quiet() -> None:
    body = Body()
    body.after(2)
    body.now += 10_000
    assert body.after(1) <= 6
    body.now -= 20_000
    assert body.after(1) <= 6


def test_the_dead_are_forgotten() -> None:
    body = Body()
    body.after(10)
    body.pulse.forget(set())
    assert body.after(1) == 0


def test_the_time_of_a_tree_counts_all_that_is_and_was_in_it() -> None:
    burn = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.2: pass"
    script = f"{sys.executable} -c '{burn}'; echo; cat; true"
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = cpu_of_tree(process.pid)
        assert used is not None
        assert 0.2 <= used < 5
        process.communicate()
    assert cpu_of_tree(process.pid) is None
    assert (cpu_of_tree(os.getpid()) or 0) > 0


@pytest.mark.parametrize(("seconds", "told"), [(3.2, "3 s"), (59.9, "60 s"), (60, "1 min"), (310, "5 min")])
def test_the_time_is_told_short(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_a_stall_is_an_event_and_what_the_worker_does_until_it_moves_again(scene: Scene) -> None:
    go, end = (scene.repository.path.parent / name for name in ("go", "end"))
    os.mkfifo(go)
    scene.begin(
        workstream(
            "ws-a",
            "echo begun",
            f"cat {go}; echo on again",
            f"while [ ! -e {end} ]; do sleep 0.05; done; echo a > a",
        ),
        sets=("stall_seconds=1.5",),
    )

    def doing() -> str:
        return next((worker.doing for worker in scene.view().workers if worker.workstream == "ws-a"), "")

    first = until(lambda: doing() if doing().startswith("no sign of life for ") else "", 20, "the stall to be seen")
    until(lambda: doing() != first, 20, "more time to be told")
    go.write_text("")
    until(lambda: doing() == "on again", 20, "it to move again")
    end.touch()
    assert scene.finish().state is RunState.COMPLETED
    assert len(scene.events("attempt_stalled")) == 1
    assert "ws-a attempt 1 shows no sign of life" in scene.events("attempt_stalled")[0]
