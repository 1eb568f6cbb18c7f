"""Listening: each byte once, whatever comes, and never more in memory than a line."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agents.reading.hearing import AGENTS, SAID, agent, hear
from tests.support.examples import few
from uet_tui.agents.reading.lines import LONGEST_LINE
from uet_tui.agents.reading.listening import Listener
from uet_tui.core.usage import Usage

FORMATS = ("shell", "simulated", "claude", "codex", "aider", "mini", "opencode", "gemini")
RECORDED = sorted(path.name for path in SAID.glob("*.log"))


def test_reports_come_as_they_are_made_and_only_grow(tmp_path: Path) -> None:
    listener = Listener(agent(usage="json-lines"), tmp_path / "output.log")
    assert listener.look().reports == ()
    with (tmp_path / "output.log").open("ab", buffering=0) as output:
        output.write(b'{"uet": {"cost_usd": 1}}\n{"uet": {"cost')
        first = listener.look().reports
        output.write(b'_usd": 3}}\n')
        second = listener.look().reports
        output.write(b'{"uet": {"cost_usd": 4}}')
        assert listener.look().reports == second, "a line that is not ended may go on"
    assert first == (Usage(usd=1),)
    assert second == (Usage(usd=1), Usage(usd=2))
    assert listener.end(0, 0.0).reports == (*second, Usage(usd=1))
    assert Listener(agent(usage="json-lines"), tmp_path / "output.log").end(0, 0.0).reports == (*second, Usage(usd=1))


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    listener = Listener(agent(usage="json-lines"), output)
    output.write_text('{"uet": {"cost_usd": 1}}\nwith a secret\n')
    assert listener.look().reports == (Usage(usd=1),)
    (tmp_path / "new").write_text('{"uet": {"cost_usd": 1}}\nwith «KEY»\n')
    (tmp_path / "new").replace(output)
    told = listener.end(0, 0.0)
    assert (told.reports, told.last_line) == ((Usage(usd=1),), "with «KEY»")


def test_no_output_is_nothing_told(tmp_path: Path) -> None:
    told = Listener(agent(usage="json-lines"), tmp_path / "none").end(0, 0.0)
    assert (told.reports, told.last_line, told.worked) == ((), "", None)
    for name in FORMATS[2:]:
        assert Listener(AGENTS[name], tmp_path / "none").end(0, 0.0).worked is False, name


def test_a_long_output_costs_no_memory_and_a_line_without_end_is_left_out(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    with output.open("wb") as file:
        for _ in range(5):
            file.write(b"z" * (LONGEST_LINE // 2))
        file.write(b"\n")
        for _ in range(100_000):
            file.write(b"a line of what a tool printed, which is of no interest to anybody at all\n")
        file.write(b'{"uet": {"cost_usd": 2}}\n')
    tracemalloc.start()
    told = Listener(agent(usage="json-lines"), output).end(0, 0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.reports == (Usage(usd=2),)
    assert peak < 4 * LONGEST_LINE


def test_of_a_flood_a_look_reads_only_so_much(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    output.write_bytes(b"x" * 99 + b"\n" + b"y" * 5_000_000 + b'\n{"uet": {"cost_usd": 1}}\n')
    listener = Listener(agent(usage="json-lines"), output)
    assert listener.look(1000).reports == ()
    assert listener.look(6_000_000).reports == (Usage(usd=1),)


@pytest.mark.parametrize("rubbish", [b"", b"\n\n", b"\xff\xfe\x00", b"\x1b]52;c;", b"x" * 100_000, b"[" * 100_000])
def test_any_output_can_be_read(tmp_path: Path, rubbish: bytes) -> None:
    for name in FORMATS:
        files = {AGENTS[name].usage.file or "x": rubbish.decode("latin-1")}
        told = hear(
            name, tmp_path, rubbish, files=files | {"analytics.jsonl": "[" * 9999, "trajectory.json": "{" * 9999}
        )
        assert told.reports == ()


LINES = [line for name in RECORDED for line in (SAID / name).read_bytes().splitlines(keepends=True)]
PIECES = st.lists(
    st.one_of(
        st.sampled_from(LINES),
        st.sampled_from(LINES).flatmap(lambda line: st.integers(0, len(line)).map(lambda cut: line[:cut])),
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["type", "usage", "message", "item", "part", "tokens", "uet"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode() + b"\n"),
    ),
    max_size=12,
)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=few(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=PIECES)
def test_whatever_comes_in_whatever_pieces_the_same_is_understood(
    name: str, pieces: list[bytes], tmp_path: Path
) -> None:
    output = tmp_path / "output.log"
    output.unlink(missing_ok=True)
    said = b"".join(pieces)
    for beside in ("analytics.jsonl", "trajectory.json"):
        (tmp_path / "own").mkdir(exist_ok=True)
        (tmp_path / "own" / beside).write_bytes(said)
    output.touch()
    listener = Listener(AGENTS[name], output)
    before: tuple[Usage, ...] = ()
    for piece in pieces:
        with output.open("ab") as file:
            file.write(piece)
        reports = listener.look().reports
        assert reports[: len(before)] == before
        before = reports
    told = listener.end(1, 0.0)
    assert told == Listener(AGENTS[name], output).end(1, 0.0)
    assert told.reports[: len(before)] == before
    for report in told.reports:
        amounts = (report.tokens_in, report.tokens_out, report.tokens_cached, report.tokens_reasoning, report.usd or 0)
        assert all(0 <= amount < 1e13 for amount in amounts)


@pytest.mark.parametrize("name", ["claude", "aider", "mini"])
@pytest.mark.parametrize("trap", ["fifo", "endless"])
def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path, name: str, trap: str) -> None:
    listener = Listener(AGENTS[name], tmp_path / "output.log")
    (tmp_path / "own").mkdir()
    for file in ("output.log", "own/analytics.jsonl", "own/trajectory.json"):
        if trap == "fifo":
            os.mkfifo(tmp_path / file)
        else:
            (tmp_path / file).symlink_to("/dev/zero")
    assert listener.look().reports == ()
    assert listener.end(0, 0.0).reports == ()


@pytest.mark.parametrize("words", ["violat", "missing environment variable: ", "usage limit "])
def test_last_words_without_end_are_looked_through_in_no_time(tmp_path: Path, words: str) -> None:
    text = words * (1_000_000 // len(words)) + " invalid api key"
    result = {"type": "result", "subtype": "error", "is_error": True, "result": text}
    assert hear("claude", tmp_path, json.dumps(result) + "\n", 1).fault is not None


def test_a_flood_of_reports_becomes_few_and_loses_nothing(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    lines = "".join(f'{{"uet": {{"tokens_in": {number}, "cost_usd": {number}}}}}\n' for number in range(1, 50_001))
    output.write_text(lines)
    listener = Listener(agent(usage="json-lines"), output)
    listener.look()
    live = listener.look().reports
    told = listener.end(0, 0.0).reports
    assert told[: len(live)] == live, "what was told before stays as it was"
    assert len(told) < 5_000
    assert sum(report.tokens_in for report in told) == 50_000
    assert sum(report.usd or 0 for report in told) == 50_000
    assert sum(report.tokens_in for report in live) > 0.95 * 50_000, "and a budget hears of it while it goes on"
    assert Listener(agent(usage="json-lines"), output).end(0, 0.0).reports == told


@pytest.mark.parametrize("size", [LONGEST_LINE - 40, LONGEST_LINE + 1, LONGEST_LINE + 100_000])
def test_whether_a_long_line_counts_does_not_depend_on_when_it_is_looked_at(tmp_path: Path, size: int) -> None:
    """Whoever reads all of it after a crash must come to the same reports as who heard it piece by piece."""
    output = tmp_path / "output.log"
    report = b'{"uet": {"cost_usd": %d, "text": "%s"}}\n'
    said = report % (1, b"") + report % (2, b"x" * (size - len(report % (2, b"")) + 3)) + report % (3, b"")
    counted = []
    for step in (len(said), 99_991, 1 << 20):
        output.write_bytes(b"")
        listener = Listener(agent(usage="json-lines"), output)
        with output.open("ab") as file:
            for start in range(0, len(said), step):
                file.write(said[start : start + step])
                file.flush()
                listener.look()
        counted.append([one.usd for one in listener.end(0, 0.0).reports])
    assert counted == [[1.0, 1.0, 1.0] if size < LONGEST_LINE else [1.0, 2.0]] * 3


def test_a_report_without_end_is_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "output.log").touch()
    (tmp_path / "own").mkdir()
    (tmp_path / "own/analytics.jsonl").touch()
    os.truncate(tmp_path / "own/analytics.jsonl", 4 << 40)
    assert Listener(AGENTS["aider"], tmp_path / "output.log").end(1, 0.0).reports == ()
