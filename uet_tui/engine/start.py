"""Opening runs: a new one from a plan, or one that is there, with the lock that makes this process its owner."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from uet_tui.agents.prompt_layers import effective_prompts
from uet_tui.core.beginning import first_records
from uet_tui.core.catching_up import catch_up
from uet_tui.core.events import Noted
from uet_tui.core.records import Records, RunRecord
from uet_tui.engine.finding import find
from uet_tui.engine.orchestrator import Hold
from uet_tui.engine.prompting import keep_prompts
from uet_tui.engine.workplace import Workplace, policy_of
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Plan, Workstream
from uet_tui.settings.frozen import completed, frozen, thawed
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings
from uet_tui.settings.prompts import PromptFile
from uet_tui.store import inbox
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home, RunPaths
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository

_BEGUN = ("name", "base_commit", "target_branch", "created_at")
"""What is kept of a run's first record besides its settings, so that it can be put back on record."""


@dataclass(frozen=True)
class OpenRun:
    """A run that this process owns."""

    place: Workplace
    hold: Hold
    act: Noted | None = None
    """The operator's act by which it was begun or taken up, to be put on record."""


def repository_at(folder: Path) -> OperatorRepository:
    """The operator's repository around a folder.

    Raises:
        UetError: git is missing or too old, or there is no repository with a commit and a checkout.
    """
    return OperatorRepository.discover(folder)


def home_of(operator: OperatorRepository) -> Home:
    """The `.uet/` folder of a repository."""
    return Home(operator.root / ".uet")


def new_run(
    operator: OperatorRepository,
    plan: Plan,
    settings: Settings,
    *,
    agent: str | None = None,
    target: str | None = None,
) -> OpenRun:
    """Makes a run of a valid plan, and owns it.

    Args:
        operator: where the work is for.
        plan: what is to be done.
        settings: how.
        agent: overrides the tool of every workstream.
        target: the branch to land on; the one that is checked out if None.

    Raises:
        UetError: nothing was left behind but a branch without work or, where the disk failed late, a run on record that
            can be resumed.
    """
    if target is not None and operator.resolve(f"refs/heads/{target}") is None:
        raise UetError(f"there is no branch {target} to land on: name one that is there, or make it with `git branch`")
    _check_names(operator)
    prompts = effective_prompts(operator.root)
    run = secrets.token_hex(4)
    home = home_of(operator)
    operator.exclude_uet()
    home.folder.mkdir(mode=0o700, exist_ok=True)
    control = ControlRepository.open_or_create(home.control, operator)
    agents = {id: agent or ws.tool for id, ws in plan.workstreams.items()}
    place = Workplace(run, home, operator, control, plan, settings, agents, operator.head)
    record = _first_record(run, settings, operator.name, operator.head, target or operator.branch, time.time())
    on_record = False
    with ExitStack() as held:
        held.callback(lambda: None if on_record else _leave_nothing(place))
        paths = _new_folder(place, prompts, record)
        reached("run.before-branch")
        control.update_refs([(place.integration, operator.head, None)])
        reached("run.branch-made")
        lock = RunLock.acquire(paths)
        held.callback(lock.release)
        writer = Writer(home.database)
        held.callback(writer.close)
        reached("run.before-created")
        writer.create_run(_first_records(record, plan, settings, agents), plan)
        on_record = True
        reached("run.created")
        opened = OpenRun(place, _claim(place, lock, writer))
        held.pop_all()
    return opened


def _new_folder(place: Workplace, prompts: Mapping[str, PromptFile], record: RunRecord) -> RunPaths:
    """The folder of a new run, with what it was begun with."""
    paths = place.paths
    for folder in (paths.inbox, paths.sandbox(1).parent, paths.index(1).parent):
        folder.mkdir(parents=True, mode=0o700)
    keep_prompts(paths, prompts)
    paths.plan.write_text(
        json.dumps([ws.model_dump(mode="json") for ws in place.plan.workstreams.values()], indent=1), encoding="utf-8"
    )
    begun = {name: getattr(record, name) for name in _BEGUN}
    kept = {"settings": frozen(place.settings), "agents": place.agent_of, "begun": begun}
    paths.settings.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return paths


def _leave_nothing(place: Workplace) -> None:
    """Takes back what was made of a run that is not on record, but for a branch without work."""
    shutil.rmtree(place.paths.folder, ignore_errors=True)
    place.control.close()


def _check_names(operator: OperatorRepository) -> None:
    """Makes sure that what is merged can be published: git has no branch uet/x beside a branch uet.

    Raises:
        UetError: a name is taken.
    """
    if operator.resolve("refs/heads/uet") is not None:
        raise UetError("the branch uet is in the way of uet/RUN, where a run is published: git branch -m uet NAME")
    if operator.resolve("refs/uet") is not None:
        raise UetError("refs/uet is in the way of refs/uet/RUN, where results are kept: git update-ref -d refs/uet")


def _first_record(
    run: str, settings: Settings, name: str, base_commit: str, target_branch: str | None, created_at: float
) -> RunRecord:
    return RunRecord(
        id=run,
        name=name,
        schedule=settings.schedule,
        parallelism=settings.workers,
        base_commit=base_commit,
        tip=base_commit,
        target_branch=target_branch,
        created_at=created_at,
        budget_usd=settings.budget.max_cost_total,
        phase_budget_usd=settings.budget.max_cost_per_phase,
        task_budget_usd=settings.budget.max_cost_per_task,
    )


def _first_records(record: RunRecord, plan: Plan, settings: Settings, agents: dict[str, str]) -> Records:
    return first_records(record, plan, agents, {name: entry.model for name, entry in settings.agents.items()})


def put_back(home: Home, run: str, writer: Writer) -> bool:
    """Puts a run that the store forgot back on record, as it was when it began; False where its files are too old.

    Raises:
        UetError: its files are not whole.
    """
    plan, settings, agents = _kept(home, run, {})
    with _whole(home.run(run)) as paths:
        begun = json.loads(paths.settings.read_bytes()).get("begun")
        if begun is None:
            return False
        record = _first_record(run, settings, *(begun[name] for name in _BEGUN))
    writer.create_run(_first_records(record, plan, settings, agents), plan)
    return True


def open_run(home: Home, run: str, *, overrides: Mapping[str, object] | None = None) -> OpenRun:
    """Takes a run that nobody has, with the plan and settings that it began with.

    Args:
        home: the repository's `.uet/`.
        run: its full id.
        overrides: top-level settings that the operator changed on resuming.

    Raises:
        RunLockedError: another orchestrator has it.
        UetError: its files are not whole.
    """
    paths = home.run(run)
    lock = RunLock.acquire(paths)
    left_over = inbox.waiting(paths)
    try:
        operator = repository_at(home.folder.parent)
        plan, settings, agents = _kept(home, run, overrides or {})
        control = ControlRepository.open_or_create(home.control, operator)
        place = Workplace(run, home, operator, control, plan, settings, agents)
        writer = Writer(home.database)
    except BaseException:
        lock.release()
        raise
    try:
        hold = _claim(place, lock, writer, left_over)
        _know_asked(place, hold)
        place = replace(place, base=hold.records.run.base_commit)
        _catch_up(place, hold)
        return OpenRun(place, hold)
    except BaseException:
        writer.close()
        lock.release()
        raise


def plan_of(home: Home, run: str) -> Plan:
    """The plan that a run began with.

    Raises:
        UetError: its files are not whole.
    """
    with _whole(home.run(run)) as paths:
        return _bundled(paths)


def _claim(place: Workplace, lock: RunLock, writer: Writer, left_over: frozenset[str] = frozenset()) -> Hold:
    token = secrets.token_hex(8)
    reached("run.before-claim")
    crashed_at = writer.claim(place.run, token, os.getpid())
    reached("run.claimed")
    return Hold(lock, token, writer, writer.load(place.run), crashed_at, left_over)


def _know_asked(place: Workplace, hold: Hold) -> None:
    """Raises `UetError` where an agent is at a conflict that the settings have no more: who would read what it used?"""
    for conflict in hold.records.conflicts.values():
        agent = conflict.ask(conflict.asks).agent
        if conflict.asking and agent and agent not in place.settings.agents:
            known = ", ".join(sorted(place.settings.agents))
            raise UetError(
                f"agent {agent} is at conflict {conflict.id} of run {place.run}, but the agents now are: {known}"
            )


def _catch_up(place: Workplace, hold: Hold) -> None:
    """Brings the records up to what really happened, where a restored store or a power loss left them behind."""
    found = find(place, hold.records)
    if found:
        changes = catch_up(place.plan, policy_of(place), hold.records, found, time.time())
        reached("run.before-caught-up")
        hold.writer.commit(place.run, hold.token, changes)
        reached("run.caught-up")


def _kept(home: Home, run: str, overrides: Mapping[str, object]) -> tuple[Plan, Settings, dict[str, str]]:
    with _whole(home.run(run)) as paths:
        kept = json.loads(paths.settings.read_bytes())
        plan = _bundled(paths)
        now = partial(load_settings, home.folder.parent, os.environ)
        settings = Settings.model_validate(thawed({**completed(kept["settings"]), **overrides}, lambda: now().settings))
        agents = {str(id): str(agent) for id, agent in kept["agents"].items()}
        if agents.keys() != plan.workstreams.keys():
            raise ValueError("they do not hold the same workstreams")
    for id, agent in agents.items():
        if agent not in settings.agents:
            known = ", ".join(sorted(settings.agents))
            raise UetError(f"{id} of run {run} is for agent {agent}, but the agents now are: {known}")
    return plan, settings, agents


def _bundled(paths: RunPaths) -> Plan:
    return build_plan(Workstream.model_validate(bundle) for bundle in json.loads(paths.plan.read_bytes()))


@contextmanager
def _whole(paths: RunPaths) -> Iterator[RunPaths]:
    try:
        yield paths
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UetError(f"{paths.folder}: the run's plan.json or settings.json is not whole: {error}") from error
