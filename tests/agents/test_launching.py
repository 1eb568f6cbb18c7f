import sys
from pathlib import Path
from typing import Any

from uet_tui.agents import simulated
from uet_tui.agents.launching import LONGEST_ARGUMENT, Launch, agent_environment, command_line, environment, own_files
from uet_tui.settings.agents import AgentSettings


def agent(*command: str, **more: Any) -> AgentSettings:
    return AgentSettings.model_validate({"command": command, "prompt": "text", "env": (), "usage": "none", **more})


def launch(**more: Any) -> Launch:
    return Launch(Path("/p/prompt.md"), Path("/s"), Path("/a/3"), Path("/h"), 3, **more)


def test_placeholders_are_filled_in_wherever_they_stand() -> None:
    words = ("{python}", "--file={prompt_file}", "{sandbox}:{attempt}", "{simulated}", "{unknown}", "plain")
    filled = command_line(agent(*words), launch())
    assert filled == [sys.executable, "--file=/p/prompt.md", "/s:3", simulated.__file__, "{unknown}", "plain"]
    assert command_line(agent("{home}", "{folder}/log"), launch()) == ["/h", "/a/3/own/log"]


def test_a_word_whose_value_there_is_none_of_is_left_out() -> None:
    words = ("x", "--model={model}", "--most={budget_usd}", "y")
    assert command_line(agent(*words), launch()) == ["x", "y"]
    assert command_line(agent(*words), launch(model="m", budget_usd=0.5)) == ["x", "--model=m", "--most=0.5000", "y"]


def test_the_scope_becomes_an_argument_for_each_file_that_is_there_and_none_can_pass_for_an_option(
    tmp_path: Path,
) -> None:
    for name in ("a b.py", "--yes"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    one = agent("x", "{scope}", "y", scope_argument="--file={path}")
    scope = ("a b.py", "--yes", "gone.py", "link", "folder")
    here = Launch(tmp_path, tmp_path, tmp_path, tmp_path, 1, scope=scope)
    assert command_line(one, here) == ["x", "--file=a b.py", "--file=--yes", "y"]
    assert command_line(one, launch()) == ["x", "y"]


def test_the_prompt_is_one_argument_and_is_not_looked_at_for_placeholders(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.md"
    here = Launch(prompt, Path("/s"), tmp_path, Path("/h"), 1, "m")
    prompt.write_text("say {model} and {prompt}\0\n")
    assert command_line(agent("x", "--task={prompt}"), here) == ["x", "--task=say {model} and {prompt}\n"]
    prompt.write_text("é" * LONGEST_ARGUMENT)
    word = command_line(agent("{prompt}"), here)[0]
    assert len(word.encode()) <= LONGEST_ARGUMENT
    assert word.endswith("é\n(cut: too long for one argument)")


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


def test_what_is_set_wins_and_a_home_of_its_own_is_where_its_files_go() -> None:
    one = agent("x", env=["HOME", "A"], home="own", set={"A": "{home}/cfg", "B": "{model}", "C": "1"})
    assert agent_environment(one, launch(), {"HOME": "/root", "A": "x"}) == {
        "HOME": "/h",
        "TMPDIR": "/h/tmp",
        "XDG_CONFIG_HOME": "/h/.config",
        "XDG_DATA_HOME": "/h/.local/share",
        "XDG_STATE_HOME": "/h/.local/state",
        "XDG_CACHE_HOME": "/h/.cache",
        "A": "/h/cfg",
        "C": "1",
    }
    assert agent_environment(agent("x", env=["HOME"]), launch(), {"HOME": "/root"}) == {"HOME": "/root"}


def test_files_of_its_home_are_filled_in_and_left_out_where_a_value_is_missing() -> None:
    files = {"a.json": '{"in": "{home}"}', "b.json": "at {base_url}"}
    assert own_files(agent("x", home="own", files=files), launch()) == {"a.json": '{"in": "/h"}'}
    there = agent("x", home="own", files=files, base_url="http://localhost")
    assert own_files(there, launch())["b.json"] == "at http://localhost"
    assert command_line(agent("--at={base_url}", "x", base_url="y"), launch()) == ["--at=y", "x"]
