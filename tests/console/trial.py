"""The console over a source that keeps changing: to be tried by hand, `python -m tests.console.trial [WORKSTREAMS]`."""

import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime

from tests.console.running import FakeHost
from tests.console.samples import NOW, FakeSource, event, sample_run, workstream
from uet_tui.console.app import UetApp
from uet_tui.core.states import WorkstreamState


def main() -> None:
    """Runs until it is left; a hundred changes and events a second."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    work = [
        workstream(f"ws-{n:04}-part", list(WorkstreamState)[n % 6], 1 + n // 100, "waits", begun=n, cost=n / 100)
        for n in range(many)
    ]
    source, stop, began = FakeSource(sample_run(workstreams=tuple(work))), threading.Event(), datetime.now(UTC)

    def change() -> None:
        step = 0
        while not stop.wait(0.01):
            step += 1
            at = step % many
            work[at] = replace(work[at], state=list(WorkstreamState)[step % 7])
            source.log.append(event(5 + step, f"{work[at].id} is {work[at].state}", workstream=work[at].id))
            source.change(workstreams=tuple(work))

    changing = threading.Thread(target=change)
    changing.start()
    try:
        UetApp(source, clock=lambda: NOW + (datetime.now(UTC) - began), host=FakeHost()).run()
    finally:
        stop.set()
        changing.join()
        print(f"changes: {source.view.revision}, commands: {source.sent}")  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
