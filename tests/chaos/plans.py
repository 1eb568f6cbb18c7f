"""The plans that are disturbed. However often that happens, each comes to one tree.

Scripts find their way from the sandbox that they run in, so that a stage may be anywhere. What they leave for the
tests is beside the operator's repository.
"""

import json
import sys
from pathlib import Path
from textwrap import dedent

from tests.engine.scene import workstream
from uet_tui.plan.model import Workstream

USD = 0.25
"""What an attempt costs."""
ASK_USD = 0.125
"""What asking an agent about a conflict costs."""
_BESIDE = "${PWD%%/.uet/*}/.."
_RAN = f"echo $UET_ATTEMPT >> {_BESIDE}/ran"
_COST = f"""printf '{{"uet": {{"cost_usd": {USD}}}}}\\n'"""
_ONCE = {"circuit_breaker": {"max_attempts": 1}}
_GATE = {"test_gates": [{"type": "GATE_UNIT"}]}
FILES = {"list.txt": "top\nmiddle\nbottom\n", "CHANGELOG.md": "# Changes\n", "README.md": "# Sample\n"}
_RESOLVER = """
    for name in ("list.txt", "CHANGELOG.md"):
        lines, kept, side = open(name).read().splitlines(keepends=True), [], ""
        for line in lines:
            if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
                side = line[0]
            elif side != "|":
                kept.append(line)
        open(name, "w").writelines(kept)
"""


def _once_merged(id: str) -> str:
    """A task that ends when a workstream is on the integration branch, so that what follows conflicts with it.

    It gives up where that one failed, and is retried once it has not.
    """
    return (
        "run=${PWD#*/.uet/runs/}; n=0; "
        "until git --git-dir ${PWD%%/.uet/*}/.uet/control.git log --format=%B uet/${run%%/*}"
        f" | grep -qx 'UET-Workstream: {id}'; do n=$((n + 1)); test $n -lt 300 || exit 1; sleep 0.05; done"
    )


def _fails_once(id: str) -> str:
    return f"test -e {_BESIDE}/{id}.tried || {{ touch {_BESIDE}/{id}.tried; exit 1; }}"


def _work(id: str, *tasks: str, **fields: object) -> Workstream:
    return workstream(id, _RAN, _COST, *tasks, **fields)


def six() -> list[Workstream]:
    """Two conflicts that machines settle, a retry, gates, dependencies."""
    change = "sed -i 's/middle/from {}/' list.txt"
    below = "sed -i '/from ws-a/a from ws-b' list.txt"  # where it is done again on what it conflicted with
    return [
        _work("ws-a", change.format("ws-a"), "echo '- a' >> CHANGELOG.md", compensation_actions=["true"], **_GATE),
        _work("ws-b", _once_merged("ws-a"), f"{below}; {change.format('ws-b')}", **_ONCE, **_GATE),
        _work("ws-c", _fails_once("ws-c"), "echo c > c", **_GATE),
        _work("ws-d", _once_merged("ws-a"), "echo '- d' >> CHANGELOG.md", **_ONCE),
        _work("ws-e", "cp c e", depends_on=["ws-c"], compensation_actions=["true"], **_GATE),
        _work("ws-f", "cp list.txt f", depends_on=["ws-b"]),
    ]


def long() -> list[Workstream]:
    """One that takes longer than it is between two checkpoints."""
    return [_work("ws-a", "sleep 40", "echo a > a")]


def thirty() -> list[Workstream]:
    """The six, and two dozen more in layers, some of which fail at first and some of which are gated."""
    more = []
    for number in range(24):
        id = f"ws-n{number:02}"
        tasks = [f"sleep 0.{number % 4 + 1}", f"echo {number} > n{number:02}"]
        if number % 6 == 5:
            tasks.insert(0, _fails_once(id))
        needs = [f"ws-n{number - 6:02}"] if number >= 6 else []
        more.append(_work(id, *tasks, depends_on=needs, **(_GATE if number % 2 else {})))
    return [*six(), *more]


def settings(folder: Path) -> list[str]:
    """How these plans are run; `folder` gets the agent that resolves conflicts."""
    resolver = folder / "resolver.py"
    told = f'print(\'{{"uet": {{"cost_usd": {ASK_USD}}}}}\')'
    asked = f'open({str(folder / "asked")!r}, "a").write("asked\\n")'
    resolver.write_text(f"{asked}\n{told}\n{dedent(_RESOLVER)}")
    agent = {
        "command": [sys.executable, "-I", "-S", str(resolver), "{prompt_file}"],
        "prompt": "text",
        "context": "none",
        "home": "own",
        "files": {".resolver": "kept here"},
        "env": ["PATH"],
        "usage": "json-lines",
    }
    return [
        "workers=3",
        "overlap=allow",
        "resolve=auto",
        "retry.base_seconds=0.05",
        "retry.jitter=0",
        "grace_seconds=0.5",
        "ladder.union=['CHANGELOG.md']",
        "sandbox.setup=['true']",
        "gates.GATE_UNIT.commands=['test ! -e broken']",
        "agents.shell.usage=json-lines",
        f"agents.scripted={json.dumps(agent)}",
        "ladder.agent=scripted",
    ]
