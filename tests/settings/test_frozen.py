"""What of the settings is kept with a run, and what is read again."""

import pytest

from uet_tui.errors import UetError
from uet_tui.settings.frozen import completed, frozen, thawed
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings

SET = "agents.shell.set={API_KEY: %s, API_BASE: 'http://127.0.0.1:1', SHORT_KEY: x}"


def settings(key: str) -> Settings:
    return load_settings(None, {}, (SET % key,)).settings


def test_secrets_are_not_kept_and_are_taken_from_where_they_are_set_now() -> None:
    kept = frozen(settings("first-secret"))
    assert kept["agents"]["shell"]["set"] == {
        "API_KEY": "«API_KEY»",
        "API_BASE": "http://127.0.0.1:1",
        "SHORT_KEY": "x",
    }
    whole = Settings.model_validate(thawed(kept, lambda: settings("second-secret")))
    assert whole == settings("second-secret")


def test_without_secrets_nothing_is_read_again() -> None:
    def nobody() -> Settings:
        raise AssertionError

    chosen = load_settings(None, {}, ()).settings
    assert Settings.model_validate(thawed(frozen(chosen), nobody)) == chosen


def test_a_secret_that_is_not_set_any_more_is_asked_for() -> None:
    kept = frozen(settings("first-secret"))
    with pytest.raises(UetError, match=r"agents\.shell\.set\.API_KEY is a secret"):
        thawed(kept, lambda: load_settings(None, {}, ()).settings)


def test_a_run_of_an_earlier_version_gets_what_is_shipped_for_the_settings_that_came_later() -> None:
    chosen = load_settings(None, {}, ("workers=7", "budget.reserve_usd=2")).settings
    kept = frozen(chosen)
    del kept["stall_seconds"], kept["budget"]["warning_threshold"], kept["budget"]["providers"]
    del kept["agents"]["claude"]
    del kept["gates"]["GATE_UNIT"]["env"]
    whole = Settings.model_validate(completed(kept))
    assert whole.model_copy(update={"agents": chosen.agents}) == chosen
    assert "claude" not in whole.agents


def test_what_is_listed_as_a_key_is_a_secret_whatever_its_name() -> None:
    sets = ("agents.shell.set={MY_LOGIN: not-for-the-disk}", "agents.shell.keys=[MY_LOGIN]")
    chosen = load_settings(None, {}, sets).settings
    kept = frozen(chosen)
    assert kept["agents"]["shell"]["set"] == {"MY_LOGIN": "«MY_LOGIN»"}
    assert Settings.model_validate(thawed(kept, lambda: chosen)) == chosen
