import sys
from pathlib import Path

from uet_tui.agents import simulated
from uet_tui.agents.launching import command_line, environment
from uet_tui.settings.model import AgentSettings


def agent(*command: str) -> AgentSettings:
    return AgentSettings(command=command, prompt="text", env=(), usage="none")


def test_placeholders_are_filled_in_wherever_they_stand() -> None:
    words = ("{python}", "--file={prompt_file}", "{sandbox}:{attempt}", "{simulated}", "{unknown}", "plain")
    filled = command_line(agent(*words), prompt_file=Path("/p/prompt.md"), sandbox=Path("/s"), attempt=3)
    assert filled == [sys.executable, "--file=/p/prompt.md", "/s:3", simulated.__file__, "{unknown}", "plain"]


def test_an_agent_gets_the_variables_on_its_list_and_no_other() -> None:
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "LC_CTYPE": "C",
        "AWS_SECRET": "x",
        "PATHS": "y",
        "HOME": "/h",
        "GIT_DIR": "z",
    }
    assert environment(("PATH", "LC_*", "MISSING"), environ) == {"PATH": "/bin", "LC_ALL": "C", "LC_CTYPE": "C"}
    assert environment((), environ) == {}
    assert environment(("*",), environ) == environ
