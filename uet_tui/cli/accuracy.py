"""`uet costs --accuracy`: how good estimates of tokens were, over all runs of this repository."""

from contextlib import closing

from uet_tui.cli.looking import home
from uet_tui.cli.output import emit, show
from uet_tui.core.estimates import accuracy
from uet_tui.report.accuracy import accuracy_document, accuracy_table
from uet_tui.store.queries import Reader


def tell_accuracy(*, json: bool) -> None:
    """Prints estimate and use of each agent with each model."""
    with closing(Reader(home().database)) as reader:
        found = accuracy(reader.estimated())
    if json:
        emit(accuracy_document(found))
    else:
        show(accuracy_table(found))
