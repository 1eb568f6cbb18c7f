"""Landing: moving the target branch to the integration tip. The last step, the operator's; forwards only."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.git import GitError
from uet_tui.workspace.operator import OperatorRepository

_SHORT = 10
"""Digits of a commit's id shown to people."""


class Way(Enum):
    """How a landing is made."""

    COMPARE_AND_SWAP = "compare-and-swap"
    """Nobody has the branch checked out: its ref is moved, if it is still where it was."""
    FAST_FORWARD = "fast-forward in checkout"
    """The operator's own checkout has it and is clean: `git merge --ff-only` there, as if they had typed it."""
    NOTHING = "nothing to do"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Landing:
    """What landing would do now, or why it would not."""

    way: Way
    branch: str | None
    old: str | None
    """The commit that the branch is at."""
    new: str
    reason: str
    """One line for the operator: what will be done, or why not and what to do instead."""

    @property
    def refused(self) -> bool:
        """Whether the operator has to do something first."""
        return self.way is Way.REFUSED


def plan_landing(operator: OperatorRepository, control: ControlRepository, target: str | None, tip: str) -> Landing:
    """What landing the commit `tip` on the branch `target` would do; changes nothing."""

    def refusal(reason: str, old: str | None = None) -> Landing:
        return Landing(Way.REFUSED, target, old, tip, reason)

    if target is None:
        return refusal("no branch was checked out when the run began: say where to land with --target BRANCH")
    old = operator.resolve(f"refs/heads/{target}")
    if old is None:
        return refusal(
            f"there is no branch {one_line(target)}: make it with `git branch {one_line(target)} {tip[:_SHORT]}`, "
            "or land elsewhere with --target BRANCH"
        )
    if control.is_ancestor(tip, old):
        return Landing(Way.NOTHING, target, old, tip, f"{target} already holds {tip[:_SHORT]}")
    if not control.is_ancestor(old, tip):
        return refusal(
            f"{target} is at {old[:_SHORT]}, which the run's result {tip[:_SHORT]} does not hold: it moved since the "
            f"run began. Merge by hand: `git switch {target} && git merge {tip[:_SHORT]}`",
            old,
        )
    users = [worktree for worktree in operator.worktrees() if worktree.branch == target]
    if not users:
        reason = f"{target} moves from {old[:_SHORT]} to {tip[:_SHORT]}"
        return Landing(Way.COMPARE_AND_SWAP, target, old, tip, reason)
    if any(worktree.busy for worktree in users):
        return refusal(f"{target} is being rebased in {users[0].path}: finish or abort that, then land again", old)
    elsewhere = [worktree for worktree in users if worktree.path.resolve() != operator.root.resolve()]
    if elsewhere:
        place = one_line(str(elsewhere[0].path))
        return refusal(f"{target} is checked out in {place}: run `git merge --ff-only {tip[:_SHORT]}` there", old)
    dirty = operator.dirty()
    if dirty:
        return refusal(
            f"{target} is checked out here with uncommitted changes ({_few(dirty)}): commit or stash them first", old
        )
    return Landing(
        Way.FAST_FORWARD, target, old, tip, f"{target} and its checkout go from {old[:_SHORT]} to {tip[:_SHORT]}"
    )


def land(operator: OperatorRepository, control: ControlRepository, target: str | None, tip: str, run: str) -> Landing:
    """Lands the commit `tip` on the branch `target`, or gives the refusal; what was done is the landing's `way`.

    A fast-forward in the operator's checkout runs as the operator: their configuration, filters and hooks
    (`post-merge`) do what they do at any merge of theirs. A moved ref gets a reflog entry that names the run.
    """
    landing = plan_landing(operator, control, target, tip)
    try:
        if not landing.refused:
            control.lend(tip)
        if landing.way is Way.FAST_FORWARD:
            return _fast_forward(operator, control, landing)
        elif landing.way is Way.COMPARE_AND_SWAP and landing.branch and landing.old:
            operator.move_branch(landing.branch, tip, landing.old, f"uet: land {run}")
    except GitError as error:
        return replace(landing, way=Way.REFUSED, reason=f"git would not, and nothing was changed: {error}")
    return landing


def _fast_forward(operator: OperatorRepository, control: ControlRepository, landing: Landing) -> Landing:
    """Moves the checkout; the operator may switch branches at any instant, and git moves what is checked out then."""
    target, tip = landing.branch or "", landing.new
    branch = operator.branch_now()
    if branch != target:
        reason = f"the checkout went from {target} to {_named(branch)} meanwhile, so nothing was changed: land again"
        return replace(landing, way=Way.REFUSED, reason=reason)
    added = [change.path for change in control.changes(landing.old or tip, tip) if change.status == "A"]
    new = [path for path in added if not os.path.lexists(operator.root / path)]
    failed: GitError | None = None
    try:
        operator.fast_forward(tip)
    except GitError as error:
        failed = error
    now = operator.resolve(f"refs/heads/{target}")
    if now is not None and control.is_ancestor(tip, now):  # whatever a hook did then: it may commit, or never end
        return landing
    if failed:
        left = [path for path in new if os.path.lexists(operator.root / path)]
        return replace(landing, way=Way.REFUSED, reason=_given_up(failed, operator.dirty(), left, tip))
    return replace(landing, way=Way.REFUSED, reason=_went_elsewhere(operator, target, tip))


def _given_up(error: GitError, dirty: Sequence[str], left: Sequence[str], tip: str) -> str:
    """What to say where git failed: a filter of the operator's may have failed once files were written.

    Args:
        error: what git said.
        dirty: tracked files that are changed now.
        left: new files that git wrote.
        tip: the commit that was to land.
    """
    if not dirty and not left:
        return f"git would not, and nothing was changed: {error}"
    told = f"git gave up half way ({error}), and left files changed ({_few([*dirty, *left])})"
    told += ": put right what it stumbled over"
    if dirty:
        told += "; if no change there is yours, `git restore :/` takes them back"
    if left:
        added = f"git diff -z --name-only --no-renames --diff-filter=A HEAD {tip[:_SHORT]} | xargs -0 rm -f --"
        told += f"; at the top of the checkout, `{added}` removes what it added"
    return f"{told}; then land again"


def _few(paths: Sequence[str]) -> str:
    return ", ".join(one_line(path) for path in paths[:3]) + (" ..." if len(paths) > 3 else "")


def _went_elsewhere(operator: OperatorRepository, target: str, tip: str) -> str:
    """What to say where the checkout was switched in the very instant in which git moved it."""
    where = _named(operator.branch_now())
    told = f"the checkout went from {target} to {where} while it landed, so {target} is as it was"
    if operator.resolve("HEAD") != tip:
        return f"{told}: land again"
    before = operator.resolve("ORIG_HEAD") or "ORIG_HEAD"
    return f"{told} and {where} moved instead: take it back there with `git reset --keep {before}`, then land again"


def _named(branch: str | None) -> str:
    return "a detached HEAD" if branch is None else one_line(branch)
