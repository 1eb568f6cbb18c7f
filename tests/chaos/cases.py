"""Which act of a run reaches which failpoint, and what goes wrong there."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = (
    "run.before-branch", "run.branch-made", "run.before-created", "run.created", "run.before-claim", "run.claimed",
    "store.before-made", "store.made", "backup.begun", "backup.made",
    "recovery.begun", "recovery.attempts-judged", "recovery.done",
    "orchestrator.before-commit", "orchestrator.committed", "orchestrator.before-release", "orchestrator.released",
    "orchestrator.before-checkpoint", "orchestrator.checkpointed",
    "sandbox.before-reset", "sandbox.reset", "sandbox.before-command", "sandbox.set-up", "sandbox.ready",
    "attempt.folder-made", "attempt.sandbox-ready", "attempt.before-launch", "attempt.before-keeper",
    "attempt.keeper-started", "attempt.launched",
    "keeper.locked", "keeper.begun", "keeper.agent-started", "keeper.agent-ended", "keeper.tree-ended",
    "keeper.redacted", "keeper.end-told",
    "collect.begun", "collect.snapshot-made", "collect.snapshot-noted", "collect.judged",
    "gates.begun", "gates.judged",
    "queue.taken", "queue.merged-in-memory", "queue.turned-away", "queue.commit-made", "queue.gated",
    "queue.before-move", "queue.branch-moved", "queue.merge-reported",
    "publish.before", "publish.done",
    "ladder.begun", "ladder.climbed", "ladder.gated",
    "home.before-made", "home.made",
    "ask.before-start", "ask.started", "ask.ended", "ask.collected", "ask.gated",
)  # fmt: skip
"""Reached while a plan runs."""
RESTORE = ("restore.copied", "restore.set-aside", "restore.done", "run.before-caught-up", "run.caught-up")
"""Reached where a run is resumed whose store was damaged."""
MIGRATE = ("store.before-migration", "store.migrated")
"""Reached where a run is resumed that an earlier version began."""
LAND = ("land.before-move", "land.moved", "inbox.before-answer", "inbox.answered")
"""Reached by `uet land`."""
ROLLBACK = (
    "rollback.commit-made", "rollback.branch-moved", "rollback.before-action", "rollback.action-run",
    "rollback.action-marked",
)  # fmt: skip
"""Reached by `uet rollback`."""
BATCHES = ("queue.culprit-reported", "queue.halved", "queue.first-half-settled")
"""Reached where a batch is red: killed at in `tests/engine/test_queue_killed.py`."""
SHORT = (
    ("ask.started", "run.before-claim", "recovery.attempts-judged", "publish.before"),
    ("ladder.gated", "recovery.done", "queue.branch-moved", "collect.snapshot-noted"),
    ("run.created", "attempt.before-keeper:2", "queue.before-move:2", "orchestrator.before-commit:3:raise"),
)
"""Those of `make test`: one after the other in one run. What a conflict leads to comes first: one that is sure to come
up while nothing is in its way may not come up any more where the program died before."""


def names() -> list[str]:
    """Every failpoint, as the source has it; each must be a literal."""
    found = []
    for file in sorted((ROOT / "uet_tui").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reached":
                (name,) = node.args
                assert isinstance(name, ast.Constant), f"{file}:{node.lineno}: its name is no literal"
                found.append(str(name.value))
    return found
