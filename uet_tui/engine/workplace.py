"""All that a run works with: its files, its repositories, its plan and its settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from uet_tui.agents.prices import price_known, tells_cost
from uet_tui.agents.resolving import can_resolve
from uet_tui.agents.secrecy import operators_home, secrets_given
from uet_tui.core.policy import Policy
from uet_tui.plan.model import Plan
from uet_tui.redaction import Redactor
from uet_tui.secrecy import secrets_in
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.budget import BudgetSettings
from uet_tui.settings.model import Settings
from uet_tui.store.paths import Home, RunPaths
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.sandbox import Sandbox
from uet_tui.workspace.tampering import Watched

SIMULATED = "simulated"
"""The agent whose durations are known beforehand."""
QUEUE = "queue"
"""The name of the merge queue's own sandbox."""


@dataclass(frozen=True)
class Workplace:
    """The handles of one run; made once by whoever opens it."""

    run: str
    home: Home
    operator: OperatorRepository
    control: ControlRepository
    plan: Plan
    settings: Settings
    agent_of: Mapping[str, str]
    """The agent of each workstream."""
    base: str = ""
    """The commit that the run started from."""

    @property
    def paths(self) -> RunPaths:
        """The files of the run."""
        return self.home.run(self.run)

    @property
    def integration(self) -> str:
        """The integration branch."""
        return f"refs/heads/uet/{self.run}"

    def result_ref(self, workstream: str) -> str:
        """Where the newest result of a workstream is kept."""
        return f"refs/uet/{self.run}/{workstream}"

    def attempt_ref(self, workstream: str, attempt: int) -> str:
        """Where the result of an attempt that did not merge is kept."""
        return f"refs/uet/{self.run}/{workstream}.attempt-{attempt}"

    def ask_ref(self, workstream: str, conflict: str, ask: int) -> str:
        """Where what an agent made is kept that was asked to resolve a conflict."""
        return f"refs/uet/{self.run}/{workstream}.{conflict}-ask-{ask}"

    @cached_property
    def looks(self) -> dict[str, Watched | None]:
        """What the operator's repository was like before each agent began that this process started; see `guarding`.

        None: it was looked at afterwards, too, and nothing had changed.
        """
        return {}

    @cached_property
    def redactor(self) -> Redactor:
        """Knows the secrets of whoever opened the run: what agents, gates and set-up may have been given."""
        return Redactor(secrets_in(os.environ) | self._given)

    @cached_property
    def given(self) -> Redactor:
        """Knows the secrets that the agents of this run are given."""
        return Redactor(self._given)

    @cached_property
    def _given(self) -> dict[str, str]:
        used = {*self.agent_of.values(), *resolver_of(self).values()}
        home = operators_home(os.environ)
        given = (secrets_given(self.agent(name), os.environ, home) for name in sorted(used))
        return {name: value for secrets in given for name, value in secrets.items()}

    def cookie(self, workstream: str, attempt: int) -> str:
        """What the processes of an attempt, and of its gates, are known by."""
        return f"{self.run}/{workstream}/{attempt}"

    def cookie_of_gates(self, sandbox: str) -> str:
        """What gates are known by: their sandbox, so that those are found, too, that a killed orchestrator left."""
        return f"{self.run}/gates/{sandbox}"

    def sandbox(self, worker: int | str) -> Sandbox:
        """The sandbox of a worker, or the merge queue's own."""
        return Sandbox(
            self.control, self.paths.sandbox(worker), self.paths.index(worker), keep=self.settings.sandbox.keep
        )

    def agent(self, name: str) -> AgentSettings:
        """The settings of an agent."""
        return self.settings.agents[name]


def resolver_of(place: Workplace) -> Mapping[str, str]:
    """The agent that is asked to resolve conflicts of each workstream; one that has none is left out."""
    wanted, agents = place.settings.ladder.agent, place.settings.agents
    if wanted == "none":
        return {}
    asked = {id: own if wanted == "own" else wanted for id, own in place.agent_of.items()}
    return {id: name for id, name in asked.items() if name in agents and can_resolve(agents[name])}


def _free(agent: AgentSettings) -> bool:
    """Whether an agent costs no money: it uses no model, or is metered in tokens."""
    return agent.usage.format == "none" or agent.billing == "tokens"


def _unpriced(agents: Mapping[str, AgentSettings], budget: BudgetSettings) -> frozenset[tuple[str, str]]:
    """The agents, with their models and the cheaper ones, whose cost nobody could tell."""
    if budget.unknown_price == "allow":
        return frozenset()
    return frozenset(
        (name, model)
        for name, agent in agents.items()
        if not _free(agent) and not tells_cost(agent)
        for model in {agent.model, budget.downgrade.get(agent.model, agent.model)}
        if not price_known(model, budget)
    )


def policy_of(place: Workplace) -> Policy:
    """What of the settings the core decides by."""
    settings, budget, resolver = place.settings, place.settings.budget, resolver_of(place)
    used = {name: place.agent(name) for name in {*place.agent_of.values(), *resolver.values()}}
    agents = settings.agents  # one that the settings before asked about a conflict may be at it still
    rehearsal = settings.simulated.unit_seconds
    expected = {
        ws.id: (ws.estimated_seconds or rehearsal) / settings.simulated.speed
        for ws in place.plan.workstreams.values()
        if place.agent_of[ws.id] == SIMULATED
    }
    return Policy(
        schedule=settings.schedule,
        overlap=settings.overlap,
        retry_base_seconds=settings.retry.base_seconds,
        retry_max_seconds=settings.retry.max_seconds,
        retry_jitter=settings.retry.jitter,
        reserve_usd=budget.reserve_usd,
        warning_threshold=budget.warning_threshold,
        halt_threshold=budget.halt_threshold,
        free=frozenset(name for name, agent in agents.items() if _free(agent)),
        unpriced=_unpriced(used, budget),
        refuse_unknown=budget.unknown_price == "refuse",
        models={name: agent.model for name, agent in agents.items()},
        downgrade=budget.downgrade,
        provider_of={name: agent.provider or name for name, agent in agents.items()},
        concurrency={name: one.concurrency for name, one in budget.providers.items() if one.concurrency is not None},
        pause_seconds=budget.pause_seconds,
        pause_max_seconds=budget.pause_max_seconds,
        pauses={name: one.pause_seconds for name, one in budget.providers.items() if one.pause_seconds is not None},
        batch=settings.merge.batch,
        patience=settings.merge.patience,
        resolve=settings.resolve,
        resolve_paths=settings.resolve_paths,
        resolver=resolver,
        expected=expected,
    )
