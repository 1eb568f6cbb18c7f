"""Which files matter, and in which order."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.agents.context.ranking import Candidate, Rank, is_document, is_test, ranked, words_of

TEXTS = {
    "app/model.py": "from app import text\n",
    "app/text.py": "",
    "app/view.py": "from app.model import Model\n",
    "app/far.py": "nothing of it\n",
    "tests/test_model.py": "",
    "tests/test_far.py": "",
    "tests/test_whole.py": "import app.model\n",
    "docs/model.md": "See app/model.py\n",
    "README.md": "See app/model for more\n",
}


def naming(words: Sequence[str]) -> Mapping[str, int]:
    found = {path: sum(text.count(word) for word in words) for path, text in TEXTS.items()}
    return {path: count for path, count in found.items() if count}


def order(*scope: str) -> list[Candidate]:
    return [*ranked([*TEXTS], scope, TEXTS.__getitem__, naming)]


def test_scope_comes_first_then_what_it_imports_and_what_names_it_then_tests_then_docs() -> None:
    assert [(one.path, one.rank, one.why) for one in order("app/model.py")] == [
        ("app/model.py", Rank.SCOPE, "in scope"),
        ("app/text.py", Rank.RELATED, "imported by app/model.py"),
        ("app/view.py", Rank.RELATED, "names what is in scope"),
        ("tests/test_whole.py", Rank.TESTS, "tests what is in scope"),
        ("tests/test_model.py", Rank.TESTS, "tests what is in scope"),
        ("README.md", Rank.DOCS, "is about what is in scope"),
        ("docs/model.md", Rank.DOCS, "is about what is in scope"),
    ]


def test_folders_and_globs_are_scopes_too() -> None:
    inside = {one.path for one in order("app/") if one.rank is Rank.SCOPE}
    assert (
        inside
        == {one.path for one in order("app/*.py") if one.rank is Rank.SCOPE}
        == {p for p in TEXTS if p[:3] == "app"}
    )
    assert {one.rank for one in order("**")} == {Rank.SCOPE}
    assert order("new/thing.py") == []


def test_a_file_that_is_to_be_made_is_looked_for_by_its_name() -> None:
    found = ranked(
        [*TEXTS], ["app/new.py"], TEXTS.__getitem__, lambda words: {"app/far.py": 1} if "app.new" in words else {}
    )
    assert [one.path for one in found] == ["app/far.py"]


@given(st.permutations([*TEXTS]))
def test_the_order_of_the_files_does_not_matter(paths: list[str]) -> None:
    assert [*ranked(paths, ["app/model.py"], TEXTS.__getitem__, naming)] == order("app/model.py")


@pytest.mark.parametrize(
    "path",
    [
        "test_a.py",
        "a_test.go",
        "a.test.ts",
        "a.spec.js",
        "ATest.java",
        "a_spec.rb",
        "tests/helper.py",
        "x/__tests__/a.js",
    ],
)
def test_tests_are_known_by_their_paths(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["contest.py", "latest.go", "src/attest/a.py", "testing.md", "a.py"])
def test_what_only_sounds_like_a_test_is_none(path: str) -> None:
    assert not is_test(path)


def test_documents_are_known_by_their_paths() -> None:
    assert is_document("a.md") and is_document("docs/a.html") and not is_document("docs.py")


def test_a_file_is_named_as_languages_spell_it() -> None:
    assert set(words_of("a/b/c.py")) == {"b/c", "b.c", "b::c", "b import c"}
    assert set(words_of("a/b/__init__.py")) == {"a/b", "a.b", "a::b", "a import b"}
    assert set(words_of("Makefile")) == set() and set(words_of("setup.py")) == {"setup.py"}
