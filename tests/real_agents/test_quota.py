"""A provider pauses, another goes on; the pause ends by itself, and a crash in between does not forget it."""

import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.provider.script import Answer, Fail, Failure, Request, Script, Session, Tokens, Write
from tests.real_agents.conftest import MakeFleet
from tests.real_agents.fleet import Fleet, workstream
from tests.support.wait import until

PAUSE = 30
"""Seconds for which codex's provider wants to be left alone."""
CODEX, CLAUDE = ("ws-codex-1", "ws-codex-2"), ("ws-claude-1", "ws-claude-2", "ws-claude-3")


def limited(begun: list[float]) -> Script:
    """Too many requests, and for how long, in the event of a stream, where codex reads it; then an edit."""

    def script(request: Request) -> Answer:
        begun.append(time.time())
        left = begun[0] + PAUSE - time.time()
        if left > 0:
            return Answer(Fail(Failure.RATE_LIMIT, round(left, 1), in_stream=True))
        return edit(request)

    return script


def edit(request: Request) -> Answer:
    """Writes the file of the workstream."""
    return Answer(Write(f"src/{request.subject}.py", f"NAME = {request.subject!r}\n"), Tokens(1000, 100))


def paused_until(fleet: Fleet) -> float | None:
    """Until when codex's provider is paused, in seconds since the epoch."""
    if not (fleet.repository.path / ".uet" / "uet.db").exists():
        return None
    row = fleet.providers().get("openai")
    if row is None or row["state"] != "PAUSED":
        return None
    return datetime.fromisoformat(row["until"]).replace(tzinfo=UTC).timestamp()


def with_claude_done(fleet: Fleet) -> dict[str, Any] | None:
    """The workstreams, when all of claude's are merged."""
    seen = fleet.workstreams()
    return seen if all(seen[id]["state"] == "MERGED" for id in CLAUDE) else None


@pytest.mark.programs("claude", "codex")
@pytest.mark.xdist_group("quota")
@pytest.mark.parametrize("crash", [False, True], ids=["one-orchestrator", "killed-and-resumed"])
@pytest.mark.timeout(120)
def test_one_provider_pauses_and_the_other_goes_on(fleet: MakeFleet, crash: bool) -> None:
    limit = limited([])
    a = fleet({"codex": Session(dict.fromkeys(CODEX, limit)), "claude": Session(dict.fromkeys(CLAUDE, edit))})
    a.hire("codex")
    a.hire("claude")
    a.settings = {"workers": 2, "retry": {"base_seconds": 0.1}}
    a.prepare([workstream(id, id.split("-")[1]) for id in (*CODEX, *CLAUDE)])
    first = a.start("run", "--headless")

    end = until(lambda: paused_until(a), 30, "the pause")
    seen = until(lambda: with_claude_done(a), PAUSE - 5, "claude's work")
    assert seen is not None
    assert time.time() < end
    for id in CODEX:
        assert (seen[id]["state"], "provider openai paused until" in seen[id]["reason"]) == ("PENDING", True), seen[id]
    if crash:
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert paused_until(a) == end
        second = a.start("resume", "--headless")
        until(lambda: second.poll() is not None or a.document("status", code=0)["state"] == "RUNNING", 10, "a resume")
        assert paused_until(a) == end
    else:
        second = first
    _, err = second.communicate(timeout=60)

    assert second.returncode == 0, err
    ends = {id: (one["state"], one["attempts"]) for id, one in a.workstreams().items()}
    assert {ends[id][0] for id in ends} == {"MERGED"}
    begun = a.provider.served(session="codex")[0].at
    assert end == pytest.approx(begun + PAUSE, abs=1.5)
    inside = [served for served in a.provider.served(session="codex") if begun + 3 < served.at < end]
    assert inside == []
    for id in (*CODEX, *CLAUDE):
        assert a.recorded(id)[0] == a.provider.told(id)
