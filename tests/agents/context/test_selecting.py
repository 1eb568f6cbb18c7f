"""What of the files that matter is shown within some tokens."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from uet_tui.agents.context.counts import BINARY, HUGE
from uet_tui.agents.context.ranking import Candidate, Rank
from uet_tui.agents.context.selecting import Form, Left, Selection, Shown, Weighed, select


def file(path: str, tokens: int, rank: Rank = Rank.RELATED) -> Weighed:
    return Weighed(Candidate(path, rank, "because"), tokens)


def rendering(outline: float = 0.3, brief: float = 0.1) -> Callable[[Weighed, Form], Shown | None]:
    """Forms by their share of the whole; 0: there is no such form."""

    def render(one: Weighed, form: Form) -> Shown | None:
        share = {Form.WHOLE: 1.0, Form.OUTLINE: outline, Form.BRIEF: brief, Form.NAME: 0.0}[form]
        if not share and form is not Form.NAME:
            return None
        return Shown(one, form, one.candidate.path, 10 + int(max(0, one.tokens) * share))

    return render


def forms(selection: Selection) -> dict[str, Form]:
    return {one.file.candidate.path: one.form for one in selection.shown}


def test_files_are_whole_where_all_fit() -> None:
    files = [file("a", 100, Rank.SCOPE), file("b", 5_000)]
    found = select(files, 10_000, rendering(), whole=True, large=1_000)
    assert forms(found) == {"a": Form.WHOLE, "b": Form.WHOLE} and not found.shortened and not found.left_out


def test_where_not_all_fit_large_ones_are_outlined_and_scope_stays_whole_as_long_as_it_can() -> None:
    files = [file("scope", 3_000, Rank.SCOPE), file("large", 4_000), file("small", 200), file("huge", 90_000)]
    found = select(files, 6_000, rendering(), whole=True, large=1_000)
    assert forms(found) == {"scope": Form.WHOLE, "large": Form.OUTLINE, "small": Form.WHOLE, "huge": Form.NAME}
    assert found.shortened == (
        Left("large", "in outline: 4000 tokens whole"),
        Left("huge", "by name only: 90000 tokens whole"),
    )


def test_a_smaller_file_is_tried_after_one_that_does_not_fit() -> None:
    files = [file("a", 60, Rank.SCOPE), file("b", 1_000), file("c", 5)]

    def render(one: Weighed, form: Form) -> Shown | None:
        return Shown(one, form, one.candidate.path, max(1, one.tokens)) if form is Form.WHOLE else None

    found = select(files, 100, render, whole=True, large=1_000)
    assert forms(found) == {"a": Form.WHOLE, "c": Form.WHOLE}
    assert found.left_out == (Left("b", "no room: 1000 tokens"),)


def test_a_reader_gets_outlines_but_of_what_it_reads_anyhow() -> None:
    files = [file("scope", 500, Rank.SCOPE), file("vast", 9_000, Rank.SCOPE), file("b", 2_000), file("c.yaml", 300)]
    found = select(files, 20_000, rendering(), whole=False, large=1_000)
    assert forms(found) == {"scope": Form.NAME, "vast": Form.OUTLINE, "b": Form.OUTLINE, "c.yaml": Form.OUTLINE}
    assert not found.shortened and not found.left_out
    without = select(files, 20_000, rendering(outline=0, brief=0), whole=False, large=1_000)
    assert set(forms(without).values()) == {Form.NAME} and not without.shortened


def test_one_outline_does_not_take_the_room_of_all() -> None:
    found = select([file("a", 3_000), file("b", 100)], 1_000, rendering(0.3, 0.05), whole=False, large=1_000)
    assert forms(found) == {"a": Form.BRIEF, "b": Form.OUTLINE}
    assert found.shortened == (Left("a", "in short outline: 3000 tokens whole"),)


def test_what_is_no_text_huge_or_secret_is_named_and_not_told() -> None:
    files = [
        file("logo.png", BINARY),
        file("data.json", HUGE),
        file(".env", 5),
        file("a/.env.local", 5),
        file("id_rsa", 5),
    ]
    found = select(files, 1_000, rendering(), whole=True, large=1_000)
    assert set(forms(found).values()) == {Form.NAME}
    assert [left.why for left in found.shortened] == [
        "by name only: it is no text",
        "by name only: it is larger than 1 MB",
        *["by name only: it may hold secrets"] * 3,
    ]


def test_without_room_nothing_is_shown_and_all_is_told() -> None:
    found = select([file("a", 3), file("b", BINARY)], 0, rendering(), whole=True, large=9)
    assert found.shown == () and found.left_out == (Left("a", "no room: 3 tokens"), Left("b", "it is no text"))


FILES = st.lists(
    st.builds(file, st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.integers(-2, 4_000), st.sampled_from(Rank)),
    unique_by=lambda one: one.candidate.path,
    max_size=20,
)


@given(files=FILES, room=st.integers(0, 9_000), whole=st.booleans(), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_what_is_shown_fits_keeps_its_order_and_every_file_is_accounted_for(
    files: list[Weighed], room: int, whole: bool, shares: tuple[float, float]
) -> None:
    found = select(files, room, rendering(*shares), whole=whole, large=1_000)
    assert found.tokens <= room
    paths = [one.candidate.path for one in files]
    shown = [one.file.candidate.path for one in found.shown]
    assert shown == [path for path in paths if path in shown]
    assert sorted([*shown, *(left.path for left in found.left_out)]) == sorted(paths)
    assert {left.path for left in found.shortened} <= set(shown)
    assert found == select(files, room, rendering(*shares), whole=whole, large=1_000)
