"""Whether an integration branch holds what its run made of it, and nothing else."""

from collections.abc import Collection

from uet_tui.errors import UetError
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.history import Step, steps


def unsound(control: ControlRepository, run: str, base: str, tip: str, recorded: Collection[str]) -> str:
    """Why what the integration branch holds must not land, and what to do; empty if it may.

    Args:
        control: the control repository.
        run: the run's id.
        base: the commit that the run began at.
        tip: where the run left the integration branch.
        recorded: the merges that the run has on record and did not undo.
    """
    head = control.head_of(f"refs/heads/uet/{run}")
    if head != tip:
        return _moved(control, run, head, tip)
    try:
        branch = steps(control, tip, base)
    except UetError as error:
        return f"uet/{run} is not what this run made of it: {error}"
    own = [step for step in branch if step.run == run]
    reverts = {step.commit for step in own if step.reverts}
    undone = {step.reverts for step in own}
    known = reverts | (undone & {step.commit for step in own}) | set(recorded)
    strange = [step.commit for step in branch if step.commit not in known]
    if strange:
        return (
            f"{strange[0]} on uet/{run} is no merge that this run has on record, so nobody gated it: look at it with "
            f"`git show {strange[0]}`, and merge by hand what you want"
        )
    return ""


def undone_since(control: ControlRepository, run: str, tip: str, head: str | None) -> tuple[Step, ...]:
    """The commits by which a run undid its own merges after it left its branch at `tip`, oldest first.

    A rollback that was killed, or that a restored store has forgotten, leaves them. None if the branch is not above
    `tip`, or if anything else is among them.

    Args:
        control: the control repository.
        run: the run's id.
        tip: where the run left its branch, as far as is on record.
        head: where the branch is.
    """
    try:
        above = steps(control, head, tip) if head is not None and control.is_ancestor(tip, head) else ()
    except UetError:  # the repository does not know `tip`, or the branch is above it, but not by first parents
        return ()
    return above[::-1] if all(step.run == run and step.reverts for step in above) else ()


def _moved(control: ControlRepository, run: str, head: str | None, tip: str) -> str:
    if undone_since(control, run, tip, head):
        return f"uet/{run} holds more of a rollback than is on record: go on with `uet rollback {run}`"
    return (
        f"uet/{run} is at {head or 'no commit'} in the control repository, but what was gated is {tip}: somebody else "
        f"moved it. Move it back with `git --git-dir {control.path} update-ref refs/heads/uet/{run} {tip}`"
    )
