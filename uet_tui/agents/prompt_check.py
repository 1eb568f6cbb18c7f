"""Whether the templates of prompts work: found before anything starts, not when the first agent is told something."""

from collections.abc import Mapping

from uet_tui.agents import prompt, resolving
from uet_tui.agents.prompt import Files, Merged, Task, task_facts
from uet_tui.agents.resolving import Question, Side, conflict_facts
from uet_tui.agents.templates import Prompts
from uet_tui.errors import UetError
from uet_tui.plan.model import Workstream
from uet_tui.settings.prompts import PromptFile

_BARE = Workstream(
    id="ws-a",
    openspec_change="OS-1",
    ccpm_issue=1,
    gate=1,
    tool="sample",
    tasks=("Write the parser",),
    files_scope=("src/a.py",),
)
_FULL = _BARE.model_copy(
    update={
        "files_create": ("src/b.py",),
        "acceptance_tests": ("The parser takes it",),
        "metadata": {"objective": "A parser that takes it"},
    }
)
_TASKS = (
    task_facts(Task(_BARE, 1, 3600, strict=False), Files()),
    task_facts(Task(_FULL, 1, 60, strict=True), Files("=== src/a.py")),
    task_facts(
        Task(
            _FULL,
            2,
            60,
            strict=True,
            commands=("make",),
            note="exit 1",
            wish="Be quick",
            merged=(Merged(_BARE, ("a",)),),
        ),
        Files("=== src/a.py", whole=True, left_out=True),
    ),
)
_CONFLICTS = tuple(
    conflict_facts(
        Question("c1", _BARE, (("src/a.py", "content"),), Side(ours, "+a"), Side((_BARE,), "+b"), gates, *more)
    )
    for ours, gates, more in (((), (), ("", "", ())), ((_FULL,), ("make",), ("Be quick", "+c", ("agent refused: no",))))
)
_NEEDED = {prompt.TEMPLATE: (*_FULL.tasks, *_FULL.files_scope, *_FULL.files_create, *_FULL.acceptance_tests)}
"""What a prompt must tell, whatever its template looks like."""


def check_prompts(files: Mapping[str, PromptFile]) -> None:
    """Renders each template for a first attempt and for one that has everything to tell.

    Raises:
        UetError: one is wrong, or does not tell the agent what to do; names its file, the line and the fix.
    """
    prompts = Prompts(files)
    samples = {prompt.TEMPLATE: _TASKS, resolving.TEMPLATE: _CONFLICTS}
    prompts.check({name: facts[0].keys() for name, facts in samples.items()})
    for name, each in samples.items():
        for facts in each:
            told = prompts.render(name, facts)
        missing = [text for text in _NEEDED.get(name, ()) if text not in told]
        if missing:
            raise UetError(
                f"{files[name].place}: it must tell all `tasks`, the `scope`, what it `creates` and the "
                f"`acceptance_tests`: {missing[0]!r} of a sample is missing"
            )
