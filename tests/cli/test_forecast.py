"""`uet forecast`, and the acts that follow from it."""

from tests.cli.conftest import Uet


def test_the_forecast_for_people_has_a_matrix_and_the_pairs_that_are_not_clean(uet: Uet, scene: str) -> None:
    lines = uet("forecast").out.splitlines()
    assert lines[0] == "2 workstreams active   ≠ 1 conflict"
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    assert [(row[1], row[-2:]) for row in rows[1:]] == [
        ("ws-conflicted", ["╲", "≠"]),
        ("ws-running", ["≠", "╲"]),
    ]
    first, second, *verdict, since, where = lines[-1].split()
    assert (first, second, verdict, where) == ("ws-conflicted", "ws-running", ["≠", "conflict"], "src/app.py")
    assert since.startswith("0:3")


def test_the_forecast_document_names_who_is_compared_and_where_they_meet(uet: Uet, scene: str) -> None:
    document = uet("forecast", scene, "--json").document
    assert [one["id"] for one in document["active"]] == ["ws-conflicted", "ws-running"]
    [pair] = document["pairs"]
    assert pair.pop("since").endswith("Z")
    assert pair == {
        "first": "ws-conflicted",
        "second": "ws-running",
        "verdict": "conflict",
        "files": ["src/app.py"],
    }


def test_a_workstream_to_hold_that_is_not_there_is_named_with_the_nearest(uet: Uet, scene: str) -> None:
    for verb in ("hold", "release", "first"):
        assert "did you mean ws-running?" in uet(verb, "ws-runing").line
