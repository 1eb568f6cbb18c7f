"""What is told at length of a workstream and of a conflict."""

import io
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from tests.cli.scene import RUN
from uet_tui.report import details
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader


def test_a_fact_of_several_lines_stays_in_its_column(home: Home) -> None:
    with closing(Reader(home.database)) as reader:
        [view] = reader.run(RUN).conflicts
    printed = io.StringIO()
    console = Console(file=printed, width=100, markup=False, highlight=False)
    console.print(details.conflict(replace(view, ours_tasks=("cd src\n\nmake all", "then test")), datetime.now(UTC)))
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    first = lines.index("ours wanted     cd src")
    assert lines[first + 1 : first + 4] == ["", " " * 16 + "make all", " " * 16 + "then test"]
