from pathlib import Path

import pytest

from uet_tui.agents.use import Use, read_use
from uet_tui.core.usage import Usage


def said(tmp_path: Path, text: str | bytes, *, json_lines: bool = True) -> Use:
    output = tmp_path / "output.log"
    output.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_use(output, json_lines=json_lines)


def test_the_last_report_counts_and_the_last_other_line_is_kept(tmp_path: Path) -> None:
    use = said(
        tmp_path,
        'working\n{"uet": {"cost_usd": 0.25, "tokens_in": 10}}\n  \n'
        'done\n{"uet": {"cost_usd": 0.5, "tokens_out": 7, "later": [1]}}\n',
    )
    assert use == Use((Usage(tokens_in=10, tokens_out=7, usd=0.5),), False, "done")


def test_an_agent_whose_use_is_not_read_can_still_state_that_nothing_needs_changing(tmp_path: Path) -> None:
    assert said(tmp_path, '{"uet": {"no_change": true, "cost_usd": 5}}\n', json_lines=False) == Use(no_change=True)
    for word in ("1", '"true"', "null", "[true]"):
        assert not said(tmp_path, f'{{"uet": {{"no_change": {word}}}}}\n').no_change


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "-Infinity", "-0.01", "1e400", "1e12", "true", "false", '"1"', "null", "[]", "{}", "9" * 5000],
)
def test_what_is_no_amount_changes_nothing(tmp_path: Path, amount: str) -> None:
    report = f'{{"uet": {{"cost_usd": {amount}, "tokens_in": {amount}, "tokens_out": {amount}}}}}\n'
    use = said(tmp_path, '{"uet": {"cost_usd": 1, "tokens_in": 2, "tokens_out": 3}}\n' + report)
    assert use.reports == (Usage(tokens_in=2, tokens_out=3, usd=1),)


@pytest.mark.parametrize(
    "line",
    ['{"uet"', '{"uet": 3}', '{"uet": null}', '{"uet": [1]}', '{"uet": {}} x', '{"uet": ' + "[" * 50_000, '["uet"]'],
)
def test_what_only_looks_like_a_report_is_output(tmp_path: Path, line: str) -> None:
    use = said(tmp_path, line + "\n")
    assert use.reports == ()
    assert not use.no_change


@pytest.mark.parametrize("rubbish", [b"", b"\n\n", b"\xff\xfe\x00", b"\x1b]52;c;", b"x" * 3_000_000])
def test_any_output_can_be_read(tmp_path: Path, rubbish: bytes) -> None:
    assert said(tmp_path, rubbish).reports == ()


def test_a_report_at_the_end_of_a_long_output_is_found(tmp_path: Path) -> None:
    use = said(tmp_path, b"y" * 2_000_000 + b'\n{"uet": {"cost_usd": 2}}')
    assert use.reports == (Usage(usd=2),)
    assert use.last_line.startswith("yyy")


def test_no_output_is_no_use(tmp_path: Path) -> None:
    assert read_use(tmp_path / "none", json_lines=True) == Use()
