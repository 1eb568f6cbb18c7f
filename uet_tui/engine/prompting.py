"""Telling an agent what to do: its prompt, with the files that matter as far as there is room, and what that comes to.

What is only for agents that read text (templates, a tokenizer, grammars) is loaded when the first of them starts.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uet_tui.agents import prompt, resolving
from uet_tui.agents.launching import LONGEST_ARGUMENT
from uet_tui.agents.prompt import Files, Merged, Task, script_of, spec_of, task_facts
from uet_tui.agents.resolving import Question, conflict_facts, resolving_spec
from uet_tui.core import vocabulary
from uet_tui.core.effects import StartAttempt
from uet_tui.core.estimates import REMEMBERED, Factor, estimate, learned
from uet_tui.core.events import Noted
from uet_tui.core.records import WorkstreamRecord
from uet_tui.engine.gating import commands_for
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.prompts import ENDING, PromptFile, read_prompts
from uet_tui.store.paths import CONTEXT, RunPaths
from uet_tui.store.queries import Reader
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.history import changed_by
from uet_tui.workspace.search import holding

if TYPE_CHECKING:
    from uet_tui.agents.context.choosing import Chosen, Sources
    from uet_tui.agents.templates import Prompts

_log = logging.getLogger(__name__)

_MOST_SEARCHED = 20_000
"""Files of a repository that are searched for what names the scope: with more, it takes seconds for each attempt."""
_FENCES = 80
"""Tokens of what stands around the files in a prompt: their heading, and the fences."""
_ARGUMENT_TOKENS = LONGEST_ARGUMENT // 3
"""What an agent takes whose prompt is an argument: a token has nearly four bytes, more often than not."""
_TRIES = 3
"""How often files are chosen anew where they and what is around them are too long together."""
_MOST_TOLD = 20
"""Files that the event names which tells what is left out; the attempt's folder has all."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent is told."""

    text: str
    estimated_tokens: int = 0
    """How many tokens it is thought to read; 0 where nobody counted."""
    note: Noted | None = None
    """What there is to know of its context."""


def tell_task(place: Workplace, effect: StartAttempt, record: WorkstreamRecord) -> Told:
    """The prompt of an attempt; what its context is goes into the attempt's folder, too.

    Raises:
        UetError: a template is wrong.
    """
    ws, agent, settings = place.plan.workstreams[effect.workstream], place.agent(record.agent), place.settings
    match agent.prompt:
        case "script":
            return Told(script_of(ws))
        case "spec":
            return Told(spec_of(ws, effect.attempt, settings.simulated))
    tree = place.control.tree_of(effect.base)
    changed = changed_by(place.control, effect.base, place.base, ws.depends_on) if ws.depends_on and place.base else {}
    task = Task(
        ws,
        effect.attempt,
        timeout_seconds=ws.timeout or settings.timeout_seconds,
        strict=settings.scope == "enforce",
        commands=commands_for(place, ws, tree),
        note=record.note,
        wish=record.wish,
        merged=tuple(Merged(place.plan.workstreams[id], changed.get(id, ())) for id in ws.depends_on),
    )
    return _Telling(place, effect, record, agent, task, prompts_of(place)).told(tree)


def tell_conflict(place: Workplace, question: Question, agent: AgentSettings) -> str:
    """The prompt of an agent that is asked to resolve a conflict.

    Raises:
        UetError: the template is wrong.
    """
    if agent.prompt != "text":
        return resolving_spec(question, place.settings.simulated)
    return prompts_of(place).render(resolving.TEMPLATE, conflict_facts(question))


def keep_prompts(paths: RunPaths, prompts: Mapping[str, PromptFile]) -> None:
    """Keeps the templates with a run: whatever the operator checks out meanwhile, it goes on with these."""
    paths.prompts.mkdir(mode=0o700)
    for name, file in prompts.items():
        (paths.prompts / name).write_text(file.text, encoding="utf-8")


def prompts_of(place: Workplace) -> "Prompts":
    """The templates of a run."""
    from uet_tui.agents.templates import Prompts

    kept = sorted(place.paths.prompts.glob(f"*{ENDING}"))
    files = {path.name: PromptFile(path.read_text(encoding="utf-8"), str(path), "run") for path in kept}
    return Prompts(files or read_prompts(None))


@dataclass(frozen=True)
class _Telling:
    """One prompt being made."""

    place: Workplace
    effect: StartAttempt
    record: WorkstreamRecord
    agent: AgentSettings
    task: Task
    prompts: "Prompts"

    def told(self, tree: str) -> Told:
        """The prompt, what it comes to, and what of the files is not in it."""
        from uet_tui.agents.context.tokens import count_tokens

        bare = self._render(Files())
        limit, room = self._limits(count_tokens(bare))
        text, counted, chosen, trouble = bare, count_tokens(bare), None, ""
        for _ in range(_TRIES):
            chosen, trouble = self._chosen(tree, room)
            text = self._render(self._files(chosen)) if chosen and chosen.selection.shown else bare
            counted = count_tokens(text)
            if counted <= limit or text == bare:
                break
            room = max(0, room - (counted - limit))  # what is around the files took more than was left for it
        else:
            text, counted = bare, count_tokens(bare)
        to_read = counted + min(chosen.to_read if chosen else 0, max(0, limit - counted))
        factor = _learned(self.place, self.record.agent, self.record.model)
        estimated = estimate(to_read, factor)
        lines = (
            _lines(chosen, trouble)
            if self.agent.context != "none"
            else ["files are not told: `context` of its agent is none"]
        )
        head = _head(to_read, estimated, factor, limit)
        folder = self.place.paths.attempt(self.effect.workstream, self.effect.attempt)
        (folder / CONTEXT).write_text("\n".join([*head, *lines, ""]), encoding="utf-8", errors="replace")
        return Told(text, estimated, self._note(head, to_read, estimated, factor, limit, chosen, lines))

    def _render(self, files: Files) -> str:
        return self.prompts.render(prompt.TEMPLATE, task_facts(self.task, files))

    def _limits(self, bare: int) -> tuple[int, int]:
        """How many tokens the prompt may have, and how many of them files may take beside what must be told."""
        settings = self.place.settings.context
        window = self.agent.context_tokens or settings.window_tokens
        if any("{prompt}" in word for word in self.agent.command):
            window = min(window, _ARGUMENT_TOKENS)
        limit = int(window * settings.share * self.record.context_share)
        room = max(0, limit - bare - _FENCES)
        return limit, {"none": 0, "list": min(room, settings.list_tokens), "whole": room}[self.agent.context]

    def _chosen(self, tree: str, room: int) -> tuple["Chosen | None", str]:
        """What is shown of the files that matter, and what went wrong with it: a prompt without files is one still."""
        from uet_tui.agents.context.choosing import choose, weigh
        from uet_tui.agents.context.counts import Counts

        whole, large = self.agent.context == "whole", self.place.settings.context.large_tokens
        try:
            sources = _sources(self.place, tree)
            files, beyond = weigh(sources, self.task.workstream.write_scope, Counts(self.place.home.tokens))
            return choose(sources, files, room, whole=whole, large=large, beyond=beyond), ""
        except (UetError, OSError) as error:
            _log.exception("the files that matter to %s could not be told", self.task.workstream.id)
            return None, f"the files could not be looked at: {one_line(str(error))}"

    def _files(self, chosen: "Chosen") -> Files:
        selection = chosen.selection
        left_out = bool(selection.left_out or selection.shortened or chosen.beyond)
        return Files(chosen.record(), self.agent.context == "whole", left_out)

    def _note(
        self,
        head: Sequence[str],
        counted: int,
        estimated: int,
        factor: Factor,
        limit: int,
        chosen: "Chosen | None",
        lines: Sequence[str],
    ) -> Noted:
        ws, attempt = self.task.workstream.id, self.effect.attempt
        selection = chosen.selection if chosen else None
        data: dict[str, object] = {
            "counted": counted,
            "estimated": estimated,
            "factor": round(factor.value, 4),
            "limit": limit,
            "shown": len(selection.shown) if selection else 0,
            "shortened": len(selection.shortened) if selection else 0,
            "left_out": (len(selection.left_out) if selection else 0) + (chosen.beyond if chosen else 0),
            "why": [*lines[:_MOST_TOLD], *([f"and {len(lines) - _MOST_TOLD} more"] if len(lines) > _MOST_TOLD else [])],
        }
        told = f"{ws} attempt {attempt}: {'; '.join(head)}; files: {data['shown']} shown, {data['left_out']} left out"
        severity = "warning" if counted > limit or chosen is None else "info"
        return Noted(vocabulary.CONTEXT_CHOSEN, told, severity, workstream=ws, attempt=attempt, data=data)


def _sources(place: Workplace, tree: str) -> "Sources":
    from uet_tui.agents.context.choosing import Sources

    objects = place.control.objects
    entries = ((change.path, change.new) for change in trees.compare(objects, objects.empty_tree, tree))
    oids = {path: entry.oid for path, entry in entries if entry is not None and entry.mode.startswith("100")}

    def naming(words: Sequence[str]) -> dict[str, int]:
        return holding(place.control, tree, words) if len(oids) <= _MOST_SEARCHED else {}

    return Sources(oids, place.control.read_blob, naming)


def _learned(place: Workplace, agent: str, model: str) -> Factor:
    """What the newest attempts by the same agent and model teach, of all runs."""
    with closing(Reader(place.home.database)) as reader:
        return learned(reader.estimated(agent=agent, model=model, limit=REMEMBERED))


def _head(counted: int, estimated: int, factor: Factor, limit: int) -> tuple[str, str]:
    told = f"{counted} tokens of prompt and files, at most {limit}"
    if not factor.attempts:
        return told, "how much it reads in all is not known yet"
    error = "" if factor.error is None else f" ± {factor.error:.0%}"
    return told, f"about {estimated} read in all (× {factor.value:.2f}{error}, learned from {factor.attempts})"


def _lines(chosen: "Chosen | None", trouble: str) -> list[str]:
    """What is not shown as it is, and why, a line each."""
    lines = [trouble] if trouble else []
    if chosen is not None:
        lines += [f"left out: {one_line(left.path)} ({left.why})" for left in chosen.selection.left_out]
        lines += [f"left out: {chosen.beyond} more files that matter less"] if chosen.beyond else []
        lines += [f"shortened: {one_line(left.path)} ({left.why})" for left in chosen.selection.shortened]
    return lines
