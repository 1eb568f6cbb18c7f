"""What `uet costs` says of money that is known, estimated, or not known at all."""

import pytest
from rich.console import Console

from tests.cli.scene import RUN
from uet_tui.report.costs import table
from uet_tui.store.cost_views import SpendRow
from uet_tui.store.queries import Reader


@pytest.mark.parametrize(
    ("usd", "estimated", "unpriced", "shown"),
    [
        (0.5, 0.0, 0, "$0.50"),
        (0.5, 0.2, 0, "~$0.50"),
        (0.5, 0.0, 1, "$0.50+?"),
        (0.0, 0.0, 2, "?"),
        (0.0, 0.0, 0, "$0.00"),
    ],
)
def test_what_nobody_knows_the_price_of_is_never_nothing(
    reader: Reader, usd: float, estimated: float, unpriced: int, shown: str
) -> None:
    row = SpendRow("ws-a", usd, estimated, 1, 1_200, 300, 0, 0, unpriced)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table(reader.run(RUN).costs, [row], "workstream"))
    (line,) = (line for line in captured.get().splitlines() if line.rstrip().endswith("ws-a"))
    assert line.split()[0] == shown
