"""Agents as they are written: what may be left out, and a clear word on what is wrong."""

from pathlib import Path

import pytest

from uet_tui.core.usage import Fault
from uet_tui.errors import UetError
from uet_tui.settings.agents import AgentSettings, FaultRule, UsageSettings
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings


def agent(repository: Path, more: str) -> AgentSettings:
    head = "agents:\n  mine:\n    command: [mine]\n    prompt: text\n    env: []\n"
    (repository / "config" / "agents.yaml").write_text(head + more)
    return load_settings(repository, {}).settings.agents["mine"]


def test_usage_is_a_word_or_a_mapping(repository: Path) -> None:
    assert agent(repository, "    usage: claude\n").usage == UsageSettings(format="claude")
    found = agent(
        repository,
        """
    usage:
      format: records
      file: use.jsonl
      match: {type: result}
      fields: {usd: cost.usd, tokens_in: usage.in + usage.cached}
      counts: total
""",
    )
    assert found.usage == UsageSettings(
        format="records",
        file="use.jsonl",
        match={"type": "result"},
        fields={"usd": "cost.usd", "tokens_in": "usage.in + usage.cached"},
        counts="total",
    )


def test_faults_are_told_by_exit_codes_and_messages(repository: Path) -> None:
    found = agent(
        repository,
        """
    usage: none
    faults:
      - {exit: 145, means: no key}
      - {says: "retry in (?P<seconds>[0-9.]+) s", means: rate limit}
""",
    )
    assert found.faults == (
        FaultRule(exit=145, means=Fault.NO_KEY),
        FaultRule(says="retry in (?P<seconds>[0-9.]+) s", means=Fault.RATE_LIMIT),
    )


def test_every_shipped_agent_survives_being_written_down_with_the_run() -> None:
    settings = load_settings(None, {}).settings
    assert Settings.model_validate_json(settings.model_dump_json()).agents == settings.agents
    assert Settings.model_validate(settings.model_dump(mode="json")).agents == settings.agents


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("    usage: jsonlines\n", "6: `agents.mine.usage.format` should be 'none', 'json-lines', "),
        ("    usage: [x]\n", "6: `agents.mine.usage` should be a format, or a mapping with `format`, not"),
        ("    usage: {file: x}\n", "6: `agents.mine.usage` lacks `format`; add it"),
        (
            "    usage:\n      format: json\n",
            "6: `agents.mine.usage` should say under `fields` where its amounts stand",
        ),
        (
            "    usage:\n      format: regex\n      pattern: '('\n",
            "6: `agents.mine.usage` should be a regular expression",
        ),
        (
            "    usage:\n      format: regex\n      pattern: 'a'\n",
            "6: `agents.mine.usage` should have a `pattern` with a",
        ),
        (
            "    usage:\n      format: json\n      fields: {dollars: a}\n",
            "8: unknown key `agents.mine.usage.fields.dollars`",
        ),
        (
            "    usage: {format: none, file: ../x}\n",
            "6: `agents.mine.usage` should name a `file` in the attempt's folder",
        ),
        (
            "    usage:\n      format: none\n      fil: x\n",
            "8: unknown key `agents.mine.usage.fil`; did you mean `agents.",
        ),
        (
            "    usage: none\n    faults:\n      - {exit: 1, means: bad}\n",
            "8: `agents.mine.faults.0.means` should be 'no",
        ),
        (
            "    usage: none\n    faults: [{means: network}]\n",
            "7: `agents.mine.faults.0` should say by what it is known",
        ),
        (
            "    usage: none\n    faults:\n      - means: network\n        says: '('\n",
            "9: `agents.mine.faults.0.says` should be a regular",
        ),
        (
            "    usage: none\n    faults:\n      - {exit: 900, means: network}\n",
            "8: `agents.mine.faults.0.exit` should be",
        ),
        ("    usage: none\n    home: mine\n", "7: `agents.mine.home` should be 'own' or 'operator', not \"mine\""),
        ("    usage: none\n    done: '['\n", "7: `agents.mine.done` should be a regular expression"),
        (
            "    usage: none\n    context_tokens: 0\n",
            "7: `agents.mine.context_tokens` should be greater than or equal to 1",
        ),
        ("    usage: none\n    set: {A: 1}\n", "7: `agents.mine.set.A` should be a valid string, not 1"),
        ("    usage: none\n    stdn: true\n", "7: unknown key `agents.mine.stdn`; did you mean `agents.mine.stdin`?"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(repository: Path, more: str, told: str) -> None:
    with pytest.raises(UetError) as caught:
        agent(repository, more)
    assert str(caught.value).startswith("config/agents.yaml:" + told)
    assert "\n" not in str(caught.value)


def test_a_command_names_a_program(repository: Path) -> None:
    with pytest.raises(UetError, match=r"`agents.shell.command` should name a program, not"):
        load_settings(repository, {}, ["agents.shell.command=[]"])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("    home: own\n    files: {../x: y}\n", "8: `agents.mine.files` should name files relative to the home"),
        ("    home: own\n    login: [~/.x]\n", "8: `agents.mine.login` should name files relative to the home"),
        ("    login: [.x]\n", "2: `agents.mine` should have `home: own` where it has `files` or `login`"),
    ],
)
def test_a_home_of_its_own_is_all_that_is_written_to(repository: Path, more: str, told: str) -> None:
    with pytest.raises(UetError) as caught:
        agent(repository, "    usage: none\n" + more)
    assert str(caught.value).startswith("config/agents.yaml:" + told)
