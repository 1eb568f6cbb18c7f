"""Agents that are added with YAML alone: each way in which one may say what it used."""

import json
from pathlib import Path

import pytest

from tests.agents.reading.hearing import hear
from uet_tui.agents.reading.listening import Listener
from uet_tui.core.usage import Fault, Usage
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.layers import load_settings

HEAD = "agents:\n  mine:\n    command: [mine, '{prompt_file}']\n    prompt: text\n    env: [PATH]\n"


def mine(folder: Path, yaml: str) -> AgentSettings:
    """An agent as an operator adds it to a repository's configuration."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "agents.yaml").write_text(HEAD + yaml)
    return load_settings(folder, {}).settings.agents["mine"]


def test_one_document_in_a_file(tmp_path: Path) -> None:
    one = mine(
        tmp_path,
        """
    usage:
      format: json
      file: session.json
      fields:
        model: session.model
        tokens_in: session.turns.0.in + session.turns.0.cached
        tokens_cached: session.turns.0.cached
        tokens_out: session.turns.0.out
        usd: session.cost
""",
    )
    session = {"model": "m-1", "turns": [{"in": 100, "cached": 20, "out": 7}], "cost": 0.25}
    told = hear(one, tmp_path, "done\n", files={"session.json": json.dumps({"session": session})})
    assert told.reports == (Usage("m-1", 120, 7, 20, usd=0.25),)
    assert hear(one, tmp_path, "", files={"session.json": '{"session": {"cost"'}).reports == ()


def test_one_document_that_is_printed(tmp_path: Path) -> None:
    one = mine(tmp_path, "    usage: {format: json, fields: {tokens_in: in, tokens_out: out}}\n")
    assert hear(one, tmp_path, '{\n  "in": 5,\n  "out": 6\n}\n').reports == (Usage("", 5, 6),)
    assert hear(one, tmp_path, 'hm\n{"in": 5}\n').reports == ()


def test_lines_of_json_some_of_which_count(tmp_path: Path) -> None:
    one = mine(
        tmp_path,
        """
    usage:
      format: records
      match: {kind: usage, final: "true"}
      fields: {tokens_in: use.in, usd: use.usd}
""",
    )
    said = [
        {"kind": "usage", "final": True, "use": {"in": 3, "usd": 0.5}},
        {"kind": "usage", "final": False, "use": {"in": 100}},
        {"kind": "other", "use": {"in": 100}},
        {"kind": "usage", "final": True, "use": {"in": 4, "usd": 0.25}},
        {"kind": "usage", "final": True, "use": {"in": "many"}},
    ]
    told = hear(one, tmp_path, "".join(json.dumps(line) + "\n" for line in said) + "bye\n")
    assert told.reports == (Usage(tokens_in=3, usd=0.5), Usage(tokens_in=4, usd=0.25))
    assert told.last_line == "bye"


def test_lines_that_tell_all_so_far(tmp_path: Path) -> None:
    one = mine(
        tmp_path, "    usage: {format: records, file: use.jsonl, counts: total, fields: {tokens_in: in, usd: usd}}\n"
    )
    told = hear(one, tmp_path, "", files={"use.jsonl": '{"in": 3, "usd": 0.5}\n{"in": 7, "usd": 0.75}'})
    assert told.reports == (Usage(tokens_in=3, usd=0.5), Usage(tokens_in=4, usd=0.25))


def test_an_expression(tmp_path: Path) -> None:
    one = mine(
        tmp_path,
        """
    usage:
      format: regex
      pattern: 'used (?P<tokens_in>[\\d,]+) in, (?P<tokens_out>[\\d,]+) out(?: for \\$(?P<usd>[\\d.]+))?'
""",
    )
    told = hear(
        one, tmp_path, "used 1,234 in, 56 out for $0.0045\nused 1 in, 2 out\nused , in, 1 out\nused 9" + "9" * 400
    )
    assert told.reports == (Usage("", 1234, 56, usd=0.0045), Usage("", 1, 2), Usage("", 0, 1))


def test_what_it_prints_where_it_worked_must_be_there(tmp_path: Path) -> None:
    one = mine(tmp_path, "    usage: none\n    done: '^All done'\n    no_change: nothing to (do|change)\n")
    assert hear(one, tmp_path, "All done\n").worked is True
    told = hear(one, tmp_path, "I think there is nothing to do\n")
    assert (told.worked, told.no_change) == (False, True)


def test_its_own_faults_come_before_those_that_all_share(tmp_path: Path) -> None:
    one = mine(
        tmp_path,
        """
    usage: none
    faults:
      - {exit: 42, means: account}
      - {says: 'slow down, (?P<minutes>\\d+) minutes', means: rate limit}
""",
    )
    assert hear(one, tmp_path, "401 Unauthorized\n", 42).fault is Fault.ACCOUNT
    assert hear(one, tmp_path, "401 Unauthorized\n", 1).fault is Fault.NO_KEY
    told = hear(one, tmp_path, "please slow down, 2 minutes\n", 1)
    assert (told.fault, told.until and told.until % 3600) == (Fault.RATE_LIMIT, 120)
    assert hear(one, tmp_path, "slow down, 2 minutes\n" + "later\n" * 30, 1).fault is None, "only its last words count"
    assert hear(one, tmp_path, "please slow down, 2 minutes\n", 0).fault is None, "it worked"


@pytest.mark.parametrize("code", [1, 2, 127])
def test_what_a_script_prints_means_what_its_author_likes(code: int, tmp_path: Path) -> None:
    assert hear("shell", tmp_path, "rate limit exceeded\n401 Unauthorized\n", code).fault is None


def test_a_document_that_is_written_anew_counts_once_whoever_saw_it_before(tmp_path: Path) -> None:
    """Reports are counted by their place: who takes the run up after a crash sees only the last version."""
    one = mine(tmp_path, "    usage: {format: json, file: use.json, fields: {usd: cost}}\n")
    document, output = tmp_path / "own" / "use.json", tmp_path / "output.log"
    document.parent.mkdir()
    output.write_text("done\n")
    listener = Listener(one, output)
    for usd in (0.25, 1.0):
        document.write_text(json.dumps({"cost": usd, "said": "x" * int(10 * usd)}))
        assert listener.look().reports == ()
    document.write_text('{"cost": 1.5, "sai')
    listener.look()
    document.write_text('{"cost": 1.5, "said": "all"}')
    assert listener.end(0, 0.0).reports == Listener(one, output).end(0, 0.0).reports == (Usage(usd=1.5),)
