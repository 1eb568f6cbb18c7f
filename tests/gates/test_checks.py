"""What applies to which files, and what acceptance tests become."""

from collections.abc import Mapping

import pytest

from uet_tui.gates.checks import Check, Files, acceptance_checks, gate_check
from uet_tui.plan.model import GateKind, TestGate
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import AcceptanceSettings, GateSettings

SHIPPED = load_settings(None, {}).settings
ACCEPTANCE = AcceptanceSettings(run=True, timeout_seconds=9, env=("PATH",))


def files(held: Mapping[str, str]) -> Files:
    return Files(lambda: tuple(held), lambda path: held[path].encode())


def gate(kind: GateKind, held: Mapping[str, str], *, rehearsal: bool = False, **settings: object) -> Check:
    chosen = GateSettings.model_validate({**SHIPPED.gates[kind].model_dump(), **settings})
    return gate_check(TestGate.model_validate({"type": kind}), chosen, files(held), rehearsal=rehearsal)


def commands(check: Check) -> list[str]:
    return [step.run for step in check.steps]


PYPROJECT = "[project]\nname = 'x'\n"
PYTEST = "from app import x\n\n\ndef test_x():\n    assert x\n"
UNITTEST = "import unittest\n\nclass TestX(unittest.TestCase):\n    def test_x(self):\n        pass\n"
NPM = '{"scripts": {"test": "jest", "lint": "eslint ."}}'
NPM_NONE = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'


@pytest.mark.parametrize(
    ("kind", "held", "expected"),
    [
        ("GATE_LINT", {}, []),
        ("GATE_LINT", {"a.py": "", "pyproject.toml": PYPROJECT}, []),
        ("GATE_LINT", {"ruff.toml": ""}, ["ruff check ."]),
        ("GATE_LINT", {"pyproject.toml": PYPROJECT + "[tool.ruff]\n"}, ["ruff check ."]),
        ("GATE_LINT", {"pyproject.toml": PYPROJECT + "[tool.ruff.lint]\n"}, ["ruff check ."]),
        ("GATE_LINT", {"pyproject.toml": "# [tool.ruff]\n[tool.ruffian]\n"}, []),
        ("GATE_LINT", {"sub/ruff.toml": ""}, []),
        ("GATE_LINT", {"ruff.toml": "", "Makefile": "lint: deps\n\truff check .\n"}, ["make lint"]),
        ("GATE_LINT", {"ruff.toml": "", "Makefile": "test:\n\ttrue\n"}, ["ruff check ."]),
        ("GATE_LINT", {"Makefile": "lint := x\nLINT:\n\ttrue\n"}, []),
        ("GATE_LINT", {"package.json": NPM, "ruff.toml": ""}, ["npm run lint", "ruff check ."]),
        ("GATE_UNIT", {"a.py": ""}, []),
        ("GATE_UNIT", {"pkg/test_a.py": PYTEST}, ["python3 -m pytest -q"]),
        ("GATE_UNIT", {"test_a.py": PYTEST}, ["python3 -m pytest -q"]),
        ("GATE_UNIT", {"test_a.py": UNITTEST}, []),
        ("GATE_UNIT", {"test_a.py": UNITTEST, "pytest.ini": ""}, ["python3 -m pytest -q"]),
        ("GATE_UNIT", {"test_a.py": PYTEST, "pyproject.toml": "[tool.pytest.ini_options]"}, ["python3 -m pytest -q"]),
        ("GATE_UNIT", {"tests/conftest.py": "import pytest\n"}, ["python3 -m pytest -q"]),
        ("GATE_UNIT", {"Makefile": "all:\n\ttrue\n\ntest :\n\ttrue\n"}, ["make test"]),
        ("GATE_UNIT", {"Makefile": ".PHONY: test\n"}, []),
        ("GATE_UNIT", {"package.json": NPM}, ["npm test"]),
        ("GATE_UNIT", {"package.json": NPM_NONE}, []),
        ("GATE_UNIT", {"package.json": NPM, "tests/test_a.py": PYTEST}, ["npm test", "python3 -m pytest -q"]),
        ("GATE_UNIT", {"sub/package.json": NPM}, []),
        ("GATE_INTEGRATION", {"tests/test_a.py": PYTEST}, []),
        ("GATE_INTEGRATION", {"tests/integration/deep/test_a.py": PYTEST}, ["python3 -m pytest -q tests/integration"]),
        ("GATE_INTEGRATION", {"package.json": '{"scripts": {"test:integration": "x"}}'}, ["npm run test:integration"]),
        ("GATE_SECURITY", {"a.py": ""}, []),
        ("GATE_SECURITY", {"pyproject.toml": "[tool.bandit]\n"}, ["bandit -q -r . -c pyproject.toml"]),
        ("GATE_SECURITY", {".bandit": ""}, ["bandit -q -r . --ini .bandit"]),
    ],
)
def test_the_shipped_commands_apply_where_the_repository_says_so_of_itself(
    kind: str, held: dict[str, str], expected: list[str]
) -> None:
    check = gate(kind, held)
    assert commands(check) == expected
    assert check.idle == ("" if expected else "not configured")


def test_a_gate_that_does_not_apply_says_why() -> None:
    assert gate("GATE_UNIT", {}).why_idle == "none of its commands applies to these files: gates.GATE_UNIT.commands"
    assert gate("GATE_UNIT", {}, commands=[]).why_idle == "it has no commands: gates.GATE_UNIT.commands"


def test_a_command_that_is_written_as_text_always_runs() -> None:
    assert commands(gate("GATE_UNIT", {}, commands=["echo a", {"run": "echo b", "fallback": True}])) == ["echo a"]


def test_files_that_no_command_asks_about_are_not_read() -> None:
    def unread(*_: object) -> bytes:
        raise AssertionError("read for nothing")

    gate_of = TestGate.model_validate({"type": "GATE_UNIT"})
    plain = GateSettings.model_validate({**SHIPPED.gates["GATE_UNIT"].model_dump(), "commands": ["true"]})
    assert gate_check(gate_of, plain, Files(lambda: [str(unread())], unread), rehearsal=False).steps


def test_a_file_that_is_no_text_can_be_looked_into() -> None:
    held = Files(lambda: ["pyproject.toml"], lambda _: b"\xff\xfe\x00[tool.ruff]\n")
    assert not gate_check(
        TestGate.model_validate({"type": "GATE_LINT"}), SHIPPED.gates["GATE_LINT"], held, rehearsal=False
    ).steps


def test_nothing_to_test_counts_as_configured() -> None:
    assert gate("GATE_UNIT", {}, no_tests="passed").no_tests == "no tests"
    assert gate("GATE_UNIT", {}, no_tests="failed").no_tests == "failed"
    (step,) = gate("GATE_UNIT", {"test_a.py": PYTEST}).steps
    assert step.no_tests_exit == 5


def test_a_rehearsal_runs_only_what_was_written_down_for_it() -> None:
    found = gate("GATE_UNIT", {"test_a.py": PYTEST}, rehearsal=True)
    assert (found.steps, found.idle) == ((), "not run")
    assert commands(gate("GATE_UNIT", {}, rehearsal=True, commands=["echo a"])) == ["echo a"]


def test_acceptance_tests_that_are_commands_are_gates_that_hold_the_work_up() -> None:
    tests = acceptance_checks(["pytest -q tests/x.py", "It works", "ls docs/"], ACCEPTANCE, rehearsal=False)
    assert [check.name for check in tests] == [
        "acceptance 1: pytest -q tests/x.py",
        "acceptance 2: It works",
        "acceptance 3: ls docs/",
    ]
    assert [commands(check) for check in tests] == [["pytest -q tests/x.py"], [], ["ls docs/"]]
    assert [check.idle for check in tests] == ["", "not run", ""]
    assert all(check.required and check.blocking and not check.baseline for check in tests)
    assert [check.log for check in tests] == ["acceptance-1.log", "acceptance-2.log", "acceptance-3.log"]
    assert tests[0].steps[0].no_tests_exit == 5, "a test that is not there is no acceptance"
    assert tests[0].no_tests == "failed"


def test_nothing_of_acceptance_is_run_in_a_rehearsal_or_where_it_is_switched_off() -> None:
    for checks in (
        acceptance_checks(["pytest"], ACCEPTANCE, rehearsal=True),
        acceptance_checks(["pytest"], ACCEPTANCE.model_copy(update={"run": False}), rehearsal=False),
    ):
        assert [(check.steps, check.idle) for check in checks] == [((), "not run")]


def test_a_long_acceptance_test_is_shortened_in_its_name_only() -> None:
    (check,) = acceptance_checks(["pytest " + "x" * 500 + "/"], ACCEPTANCE, rehearsal=False, of="ws-a")
    assert check.name.startswith("acceptance 1 of ws-a: pytest xxx")
    assert len(check.name) < 100
    assert len(check.steps[0].run) > 500
    assert check.log == "acceptance-1-of-ws-a.log"
