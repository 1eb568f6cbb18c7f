"""However many attempts an orchestrator makes, it holds no more than after the first few.

`benchmarks.soak` tells of a thousand, and of memory.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState
from uet_tui.engine import orchestrator

FEW, MANY, WORKERS = 8, 40, 4


def children() -> Iterator[tuple[int, str]]:
    """The process ids and states of this process's children; `Z` is a zombie."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread, or a child, that ended meanwhile
            for child in (task / "children").read_text().split():
                yield int(child), Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]


def zombies() -> int:
    return sum(state == "Z" for _, state in children())


def living() -> int:
    return sum(state != "Z" for _, state in children())


def files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_dozens_of_attempts_leave_no_zombie_no_open_file_and_no_thread(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orchestrator, "_SWEEP", 3.0)  # so many are not to wait for the look at what nobody tells
    go, end = tmp_path / "go", tmp_path / "end"
    wait = "touch {0}.begun; while [ ! -e {0} ]; do sleep 0.05; done; echo {0} > waited"
    few = [workstream(f"ws-few-{n}", f"echo {n} > few{n}", scope=[f"few{n}"]) for n in range(FEW)]
    middle = workstream("ws-middle", wait.format(go), scope=["waited"], depends_on=[ws.id for ws in few])
    many = [workstream(f"ws-{n}", f"echo {n} > {n}", scope=[f"{n}"], depends_on=["ws-middle"]) for n in range(MANY)]
    last = workstream("ws-last", wait.format(end), scope=["waited"], depends_on=[ws.id for ws in many])
    scene.begin(*few, middle, *many, last, sets=(f"workers={WORKERS}",))
    until(Path(f"{go}.begun").exists, 60, "the one in the middle")
    until(lambda: zombies() == 0, 60, "the first few to be reaped")
    before = files(), threading.active_count(), living()
    go.touch()
    most = 0

    def at_last() -> bool:
        nonlocal most
        most = max(most, zombies())
        return Path(f"{end}.begun").exists()

    until(at_last, 110, "the last one")
    assert most <= 2 * WORKERS, "each worker may have one that has only just ended, and one that is about to"
    until(lambda: zombies() == 0, 60, "all to be reaped")
    until(lambda: files() <= before[0], 60, f"at most {before[0]} open files")
    assert threading.active_count() <= before[1] + WORKERS + 2, "threads are made as they are needed, and then kept"
    until(lambda: living() <= before[2], 60, f"at most {before[2]} children")
    end.touch()
    assert scene.finish(60).state is RunState.COMPLETED
    assert len([*(scene.home.run(scene.run).sandbox(1).parent).iterdir()]) <= WORKERS + 1
