"""Which variables of an environment hold secrets."""

import pytest

from uet_tui.redaction import SHORTEST, Redactor
from uet_tui.secrecy import is_secret, secrets_in


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "github_token", "DB_PASSWORD", "MYSQL_PASSWD", "CLIENT_SECRET", "AWS_CREDENTIALS", "NPM_AUTH",
     "OAUTH_CODE", "SSH_PASSPHRASE", "GH_PAT", "Apikey"],
)  # fmt: skip
def test_a_variable_is_secret_by_its_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "GIT_AUTHOR_NAME", "KEYBOARD_LAYOUT", "MAX_OUTPUT_TOKENS", "SSH_AUTH_SOCK", "GOOGLE_CREDENTIALS_FILE",
     "XAUTHORITY", "PATIENCE", "COMPATIBLE"],
)  # fmt: skip
def test_a_variable_that_only_sounds_so_is_none(name: str) -> None:
    assert not is_secret(name)


def test_what_is_short_is_a_word_and_what_is_listed_is_a_secret() -> None:
    environ = {"A_KEY": "1234567", "B_KEY": "12345678", "LISTED": "abcdefgh", "OTHER": "abcdefgh"}
    assert secrets_in(environ, ["LISTED"]) == {"B_KEY": "12345678", "LISTED": "abcdefgh"}
    assert not Redactor({"A_KEY": "1234567"})
    assert SHORTEST == 8
