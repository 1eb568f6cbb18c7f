"""`uet health`: is everything here sound, and if not, how to mend it."""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import psutil
import typer
from rich.text import Text

from uet_tui.cli.options import Json, Sets
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import repository, settings
from uet_tui.core.states import RUN_OVER, RunState
from uet_tui.engine.confinement import HOW_TO_CONFINE, probe
from uet_tui.engine.disk_budget import warning
from uet_tui.engine.inventory import inventory
from uet_tui.engine.liveness import alive
from uet_tui.engine.metering import size
from uet_tui.errors import UetError
from uet_tui.report.cells import cell, columns
from uet_tui.settings.model import Settings
from uet_tui.store.paths import Home, RunPaths
from uet_tui.store.queries import Reader
from uet_tui.workspace.git import Git, check_version
from uet_tui.workspace.operator import OperatorRepository

app = typer.Typer()

_LOW_DISK_BYTES: Final = 1 << 30
"""A sandbox is a whole checkout; below this a run of any size is likely to fill the disk."""
_LOW_MEMORY_BYTES: Final = 1 << 30
"""An agent with its tests takes about as much."""
_CLOCK_SECONDS: Final = 2.0
_SMALLEST: Final = (80, 24)
"""Columns and lines that the console is made for."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Literal["ok", "note", "bad"]
    """`note`: not as it could be, but nothing stands still for it."""
    found: str
    fix: str = ""


@app.command()
def health(json: Json = False, sets: Sets = None) -> None:
    """Check that everything here is sound; ends with 1 if something is not."""
    checks = list(_checks(sets))
    sound = all(check.verdict != "bad" for check in checks)
    if json:
        emit({"sound": sound, "checks": [asdict(check) for check in checks]})
    else:
        looks = {"ok": ("✓ ok", "green"), "note": ("! note", "yellow"), "bad": ("✗ bad", "red")}
        table = columns("", "check", "found")
        for check in checks:
            found = Text.assemble(cell(check.found), ("\n-> " if check.fix else "", "dim"), cell(check.fix))
            table.add_row(Text(*looks[check.verdict]), check.name, found)
        show(table)
    if not sound:
        raise typer.Exit(1)


def _checks(sets: list[str] | None) -> Iterator[Check]:
    yield Check("python", "ok", platform.python_version())
    yield _tried("git", _git)
    yield _tried("repository", lambda: str(OperatorRepository.discover(Path.cwd()).root), otherwise="note")
    root = repository()
    home = Home((root or Path.cwd()) / ".uet")
    yield from _runs(home)
    yield _disk(root or Path.cwd())
    yield _memory()
    yield _clock()
    yield _terminal()
    try:
        chosen = settings(sets).settings
    except UetError as error:
        yield Check("settings", "bad", str(error), "correct it there")
    else:
        yield Check("settings", "ok", "every value is right")
        yield _budget(home, chosen)
        yield from _agents(chosen)
        yield _sandbox(chosen)


def _tried(name: str, look: Callable[[], str], otherwise: Literal["note", "bad"] = "bad") -> Check:
    """What a look found; the message of the `UetError` that it raised holds the fix after its colon."""
    try:
        return Check(name, "ok", look())
    except UetError as error:
        found, _, fix = str(error).partition(": ")
        return Check(name, otherwise, found, fix)


def _git() -> str:
    check_version()
    return os.fsdecode(Git(Path("/")).run("version").out).strip().removeprefix("git version ")


def _runs(home: Home) -> Iterator[Check]:
    if not home.database.exists():
        yield Check("store", "ok", "no runs yet")
        return
    try:
        with closing(Reader(home.database)) as reader:
            runs, broken = reader.runs(), reader.damage()
    except UetError as error:
        yield Check("store", "bad", str(error), f"keep a copy of {home.folder}; uet run makes a new one where none is")
        return
    if broken:
        fix = f"keep a copy of {home.folder}, and move {home.database} away; what was merged is in uet/RUN"
        yield Check("store", "bad", f"{home.database} is damaged: {broken}", fix)
        return
    yield Check("store", "ok", f"{home.database}, {len(runs)} runs")
    if runs:
        yield from _set_up(home.run(runs[0].id), runs[0].id)
    for run in runs:
        if not run.alive and run.state not in RUN_OVER | {RunState.HALTED}:
            yield from _orphans(home.run(run.id), run.id)
            yield Check("lock", "note", f"run {run.id} is {run.state.value} and nobody has it", f"uet resume {run.id}")


def _orphans(paths: RunPaths, run: str) -> Iterator[Check]:
    """Agents that go on although nobody has their run: their keepers watch them, and a resume adopts them."""
    for lock in sorted(paths.folder.glob("attempts/*/*/attempt.lock")):
        if alive(lock.parent):
            name = f"{lock.parent.parent.name} #{lock.parent.name}"
            yield Check("orphan", "note", f"the agent of {name} of run {run} goes on", f"uet resume {run} adopts it")


def _set_up(paths: RunPaths, run: str) -> Iterator[Check]:
    """Which sandboxes of a run have been set up, by what their commands printed."""
    for log in sorted(paths.setup_log(1).parent.glob("*.log")):
        worker = log.stem
        if paths.ready(worker).exists():
            yield Check(f"setup {worker}", "ok", f"worker {worker} of run {run} is set up; its output: {log}")
        else:
            yield Check(f"setup {worker}", "note", f"worker {worker} of run {run} is not set up", f"see {log}")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    told = f"{free / (1 << 30):.1f} GB free at {folder}"
    if free < _LOW_DISK_BYTES:
        return Check("disk", "bad", told, "make room: every worker has a checkout of its own under .uet/")
    return Check("disk", "ok", told)


def _budget(home: Home, chosen: Settings) -> Check:
    """What the runs take on the disk, and whether that is more than the operator wants."""
    taken = size(str(home.folder))
    sandboxes = sum(size(str(path)) for path in home.folder.glob("runs/*/sandboxes"))
    told = f"{taken / 1e9:.1f} GB in {home.folder}, of which sandboxes {sandboxes / 1e9:.1f}"
    told += f"; disk_budget_gb is {chosen.disk_budget_gb:g}" if chosen.disk_budget_gb else ""
    if warning(taken, chosen.disk_budget_gb):
        return Check("disk budget", "note", told, "uet clean")
    return Check("disk budget", "ok", told)


def _terminal() -> Check:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Check("terminal", "note", "none here", "the console needs one; uet run --headless does not")
    size, kind = os.get_terminal_size(), os.environ.get("TERM", "")
    told = f"{kind or 'unknown'}, {size.columns} by {size.lines}"
    if kind in ("", "dumb"):
        return Check("terminal", "note", told, "set TERM to what it is, such as xterm-256color")
    if size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]:
        return Check("terminal", "note", told, "make it at least 80 by 24")
    return Check("terminal", "ok", told)


def _sandbox(chosen: Settings) -> Check:
    """Whether agents can be confined that are to be."""
    probed = probe()
    if probed.path:
        return Check("sandbox", "ok", f"{probed.told}, {probed.path}")
    required = [name for name, agent in chosen.agents.items() if agent.sandbox == "required"]
    wanted = [name for name, agent in chosen.agents.items() if agent.sandbox == "bwrap"]
    if required:
        return Check("sandbox", "bad", f"{probed.told}, and {', '.join(required)} must have it", HOW_TO_CONFINE)
    told = f"{probed.told}: {', '.join(wanted) or 'no agent'} would be confined"
    return Check("sandbox", "note", told, HOW_TO_CONFINE)


def _memory() -> Check:
    free = psutil.virtual_memory().available
    told = f"{free / (1 << 30):.1f} GB available"
    if free < _LOW_MEMORY_BYTES:
        return Check("memory", "note", told, "run fewer workers at once: uet scale N, or `workers`")
    return Check("memory", "ok", told)


def _clock() -> Check:
    """Whether the file system's clock is the system's: which files an agent wrote is told by their times."""
    with tempfile.TemporaryFile() as file:
        file.write(b"now")
        file.flush()
        apart = abs(os.fstat(file.fileno()).st_mtime - time.time())
    booted = psutil.boot_time()
    if apart > _CLOCK_SECONDS:
        return Check(
            "clock", "bad", f"files are dated {apart:.0f} s off", "set the clock of the machine or of its disk"
        )
    if booted > time.time():
        return Check("clock", "bad", "it is set to before the machine started", "set it, such as with timedatectl")
    return Check("clock", "ok", "the files' is the system's")


def _agents(chosen: Settings) -> Iterator[Check]:
    for found in inventory(chosen, os.environ):
        told = ", ".join(filter(None, (found.path, found.version, found.key)))
        if found.ready:
            yield Check(f"agent {found.name}", "ok", told)
        else:
            why = "it has no key" if found.path else f"{found.agent.command[0]} is not found"
            fix = f"{found.missing}; only workstreams with this tool need it"
            yield Check(f"agent {found.name}", "note", why, fix)
