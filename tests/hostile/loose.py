"""Letting a hostile agent loose before an honest one."""

from collections.abc import Sequence

import pytest

from tests.engine.scene import Scene, workstream
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine.confinement import probe

LIMIT = 100
"""Seconds for a run, on a machine that does much else."""
ONCE = {"circuit_breaker": {"max_attempts": 1}}
needs_bwrap = pytest.mark.skipif(not probe().path, reason=f"no sandbox here: {probe().told}")
either_way = pytest.mark.parametrize("confined", ["off", pytest.param("required", marks=needs_bwrap)])
"""As an agent that nothing confines, and as one that is."""


def let_loose(
    scene: Scene,
    confined: str,
    *script: str,
    sets: Sequence[str] = (),
    scope: Sequence[str] = ("h/**",),
    seconds: float = LIMIT,
    later: Sequence[str] = ("b.txt",),
    **fields: object,
) -> WorkstreamState:
    """Runs a hostile agent before an honest one; the honest one's work must be merged, and nothing else touched.

    `later` is the scope of the honest one.
    """
    before = fingerprint(scene.repository)
    scene.begin(
        workstream("ws-hostile", *script, scope=scope, **ONCE, **fields),
        workstream("ws-later", "echo b > b.txt", scope=later, depends_on=[]),
        sets=(f"agents.shell.sandbox={confined}", "workers=1", *sets),
    )
    view = scene.finish(seconds)
    assert view.state in (RunState.COMPLETED, RunState.FAILED)
    assert scene.state("ws-later") is WorkstreamState.MERGED
    assert fingerprint(scene.repository) == before
    return scene.state("ws-hostile")


def reason(scene: Scene, id: str = "ws-hostile") -> str:
    """Why the hostile one's workstream is where it is, as the operator reads it."""
    found = scene.view().workstream(id)
    assert found is not None
    return found.reason or ""
