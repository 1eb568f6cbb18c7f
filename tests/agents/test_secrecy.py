"""What an agent is given that must not be seen."""

import json
import os
from pathlib import Path

from uet_tui.agents.secrecy import operators_home, secrets_given
from uet_tui.settings.agents import AgentSettings


def agent(**more: object) -> AgentSettings:
    return AgentSettings.model_validate({"command": ["x"], "prompt": "text", "env": (), "usage": "none", **more})


def test_secrets_are_those_that_its_list_lets_through_that_are_set_and_that_are_named(tmp_path: Path) -> None:
    one = agent(env=["A_*", "LISTED"], set={"B_TOKEN": "bbbbbbbbbb", "B_URL": "http://127.0.0.1"}, keys=["LISTED"])
    environ = {"A_KEY": "aaaaaaaaaa", "A_MODEL": "mmmmmmmmmm", "C_KEY": "cccccccccc", "LISTED": "llllllllll"}
    given = secrets_given(one, environ, tmp_path)
    assert given == {"A_KEY": "aaaaaaaaaa", "B_TOKEN": "bbbbbbbbbb", "LISTED": "llllllllll"}


def test_what_a_login_holds_is_secret_too(tmp_path: Path) -> None:
    login = {
        "tokens": {"access_token": "ttttttttttt", "id": "not so secret", "expires_at": 17},
        "OPENAI_API_KEY": None,
        "accounts": [{"refreshToken": "rrrrrrrrrrr"}],
    }
    (tmp_path / "auth.json").write_text(json.dumps(login))
    (tmp_path / "broken.json").write_text("[" * 100_000)
    os.mkfifo(tmp_path / "fifo")
    one = agent(home="own", login=["auth.json", "broken.json", "fifo", "missing"])
    assert secrets_given(one, {}, tmp_path) == {
        "auth.json access_token": "ttttttttttt",
        "auth.json refreshToken": "rrrrrrrrrrr",
    }


def test_the_operators_home_is_where_the_environment_says() -> None:
    assert operators_home({"HOME": "/h"}) == Path("/h")
    assert operators_home({}).is_absolute()
