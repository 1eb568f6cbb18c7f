"""The options that many commands share."""

from typing import Annotated

import typer

from uet_tui.errors import UetError


def _check_settings(given: list[str] | None) -> list[str] | None:
    if given:
        from uet_tui.cli.place import settings

        settings(given)
    return given


Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting for this command, dotted: retry.base_seconds=3.",
        callback=_check_settings,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output and nothing else.")]
Run = Annotated[str | None, typer.Option("--run", metavar="RUN", help="The run; the newest unless said.")]
RunArgument = Annotated[str | None, typer.Argument(metavar="RUN", help="The run; the newest unless said.")]
PlanArgument = Annotated[
    str | None, typer.Argument(metavar="PLAN", help="A bundle file or a folder of them; workstreams/ unless said.")
]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", min=1, max=256, help="How many run at once.")]


def chosen(argument: str | None, option: str | None) -> str | None:
    """The run that was named either way; raises `UetError` if two different ones were."""
    if argument and option and argument != option:
        raise UetError(f"two runs are named, {argument} and {option}; name one")
    return argument or option
