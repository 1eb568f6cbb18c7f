"""Where a test's ladder commands run: the real thing, without a run around it."""

import os
import threading
import time
import uuid
from pathlib import Path

from tests.workspace.bench import Bench
from uet_tui.engine.confining import Confinement
from uet_tui.engine.workshop import SandboxWorkshop
from uet_tui.merge.ladder import Climbing, climb
from uet_tui.merge.merging import Conflicted
from uet_tui.redaction import Redactor
from uet_tui.settings.model import LadderSettings, PathCommand

COMMAND_SECONDS = 20.0


def ladder(
    *,
    recorded: bool = False,
    union: tuple[str, ...] = (),
    regenerate: tuple[tuple[str, str], ...] = (),
    structural: tuple[tuple[str, str], ...] = (),
    seconds: float = COMMAND_SECONDS,
) -> LadderSettings:
    """A ladder with no rung but those that are asked for; commands as (glob, command)."""
    return LadderSettings(
        recorded=recorded,
        union=union,
        regenerate=tuple(PathCommand(paths=(glob,), command=command) for glob, command in regenerate),
        structural=tuple(PathCommand(paths=(glob,), command=command) for glob, command in structural),
        command_seconds=seconds,
        agent="none",
        agent_seconds=1,
    )


def workshop(bench: Bench, seconds: float = COMMAND_SECONDS) -> SandboxWorkshop:
    """Runs commands in a sandbox of the bench."""
    return SandboxWorkshop(
        bench.control,
        bench.sandbox("ladder"),
        log=Path(bench.repository.path, ".uet/ladder.log"),
        seconds=seconds,
        environ=os.environ,
        confine=lambda _, environ: Confinement(environ=environ),
        cookie=uuid.uuid4().hex,
        leaving=threading.Event(),
        redactor=Redactor({}),
    )


def climbed(bench: Bench, found: Conflicted, settings: LadderSettings) -> Climbing:
    """How far the conflict comes on the ladder."""
    shop = workshop(bench, settings.command_seconds)
    return climb(bench.control, found.tree, found.files, settings, shop, time.monotonic)
