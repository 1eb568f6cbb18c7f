"""Gates as they are written: text or a mapping for each command, and a clear word on what is wrong."""

from pathlib import Path

import pytest

from uet_tui.errors import UetError
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import GateCommand, Settings


def unit(repository: Path, commands: str) -> tuple[GateCommand, ...]:
    (repository / "config" / "gates.yaml").write_text(f"gates:\n  GATE_UNIT:\n    commands: {commands}\n")
    return load_settings(repository, {}).settings.gates["GATE_UNIT"].commands


def test_a_command_is_text_or_a_mapping(repository: Path) -> None:
    found = unit(
        repository,
        """
      - make test
      - run: tox
        when: [./tox.ini, "sub/**/x?.py"]
        contains: ^\\[tox\\]
        fallback: true
        no_tests_exit: 5
""",
    )
    assert found == (
        GateCommand(run="make test"),
        GateCommand(run="tox", when=("tox.ini", "sub/**/x?.py"), contains=r"^\[tox\]", fallback=True, no_tests_exit=5),
    )


def test_commands_come_from_the_command_line_and_the_environment_too(repository: Path) -> None:
    given = "gates.GATE_UNIT.commands=[{run: tox, when: [tox.ini]}]"
    assert load_settings(repository, {}, [given]).settings.gates["GATE_UNIT"].commands[0].when == ("tox.ini",)
    environ = {"UET_GATES__GATE_UNIT__COMMANDS": "[{run: tox}]"}
    assert load_settings(repository, environ).settings.gates["GATE_UNIT"].commands[0].run == "tox"


def test_settings_survive_being_written_down_with_the_run() -> None:
    settings = load_settings(None, {}).settings
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_every_kind_is_shipped_with_commands_and_a_limit() -> None:
    gates = load_settings(None, {}).settings.gates
    assert set(gates) == {"GATE_LINT", "GATE_UNIT", "GATE_INTEGRATION", "GATE_SECURITY"}
    for gate in gates.values():
        assert gate.commands
        assert all(command.when for command in gate.commands), "nothing shipped runs without being called for"
        assert gate.env == ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "VIRTUAL_ENV")


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ("[3]", "3: `gates.GATE_UNIT.commands.0` should be a command, or a mapping with `run`, not 3"),
        (
            "[]\n    timeout_second: 3",
            "4: unknown key `gates.GATE_UNIT.timeout_second`; did you mean `gates.GATE_UNIT.timeout",
        ),
        ("make test", '3: `gates.GATE_UNIT.commands` should be a list, not "make test"'),
        ("\n      - make\n      - when: [a]", "5: `gates.GATE_UNIT.commands.1` lacks `run`; add it"),
        ("\n      - run: ''", "4: `gates.GATE_UNIT.commands.0.run` should"),
        (
            "\n      - run: x\n        whn: [a]",
            "5: unknown key `gates.GATE_UNIT.commands.0.whn`; did you mean `gates.GATE_UNIT.commands.0.when`?",
        ),
        ("\n      - run: x\n        when: a", '5: `gates.GATE_UNIT.commands.0.when` should be a list, not "a"'),
        (
            "\n      - run: x\n        when: [/etc/passwd]",
            "5: `gates.GATE_UNIT.commands.0.when` is absolute: write it relative",
        ),
        ("\n      - run: x\n        when: [../a]", '5: `gates.GATE_UNIT.commands.0.when` leads upwards with ".."'),
        (
            "\n      - run: x\n        when: [a]\n        contains: '('",
            "6: `gates.GATE_UNIT.commands.0.contains` should be a regular",
        ),
        (
            "\n      - run: x\n        contains: a",
            "4: `gates.GATE_UNIT.commands.0` should name the files that `contains`",
        ),
        (
            "\n      - run: x\n        fallback: maybe",
            '5: `gates.GATE_UNIT.commands.0.fallback` should be a valid boolean, not "maybe"',
        ),
        (
            "\n      - run: x\n        no_tests_exit: five",
            "5: `gates.GATE_UNIT.commands.0.no_tests_exit` should be a valid integer",
        ),
        (
            "\n      - run: x\n        no_tests_exit: 0",
            "5: `gates.GATE_UNIT.commands.0.no_tests_exit` should be greater than or equal to 1, not 0",
        ),
        ("\n      - run: x\n        run: y", "5: `run` stands here twice; keep one of them"),
        ("\n      - [a]\n", "4: `gates.GATE_UNIT.commands.0` should be a command, or a mapping with `run`, not"),
        ("\n      - {1: 2}\n", "4: a key must be a word, not 1"),
        ("\n      - {[a]: 2}\n", "4: a key must be a word, not ['a']"),
        ("[]\n    no_tests: maybe", "4: `gates.GATE_UNIT.no_tests` should be 'passed' or 'failed', not \"maybe\""),
        ("[]\n    env: PATH", '4: `gates.GATE_UNIT.env` should be a list, not "PATH"'),
    ],
)
def test_a_wrong_gate_is_told_with_its_line_and_the_right_key(repository: Path, commands: str, told: str) -> None:
    with pytest.raises(UetError) as caught:
        unit(repository, commands)
    assert str(caught.value).startswith("config/gates.yaml:" + told)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keys", ["commands: [x]", "commands: [x], timeout_seconds: 9, no_tests: passed, env: []"])
def test_a_gate_that_no_plan_can_name_is_an_unknown_key(repository: Path, keys: str) -> None:
    (repository / "config" / "gates.yaml").write_text(f"gates:\n  GATE_LINTT: {{{keys}}}\n")
    with pytest.raises(
        UetError, match=r"^config/gates.yaml:2: unknown key `gates.GATE_LINTT`; did you mean `gates.GATE_LINT`\?"
    ):
        load_settings(repository, {})
