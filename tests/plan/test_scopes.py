import re
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.plan.samples import workstream
from uet_tui.plan.graph import build_plan
from uet_tui.plan.overlaps import overlapping_pairs
from uet_tui.plan.scopes import ScopeLedger, covers, normalise, overlaps

NAMES = ["".join(chars) for length in (1, 2) for chars in product("ab", repeat=length)]
PATHS = ["/".join(names) for depth in (1, 2, 3) for names in product(NAMES, repeat=depth)]
"""Long enough for any two scopes of two names with two tokens each to meet in one of them."""

plain_tokens = st.sampled_from(["a", "b", "?", "*"])
any_tokens = st.sampled_from(["a", "b", "?", "*", "[a]", "[!a]", "[a-b]", "[^b]"])


def scopes_of(tokens: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    name = st.lists(tokens, min_size=1, max_size=2).map("".join) | st.just("**")
    return st.tuples(st.lists(name, min_size=1, max_size=2).map("/".join), st.sampled_from(["", "/"])).map("".join)


def oracle(scope: str) -> re.Pattern[str]:
    """The paths that a scope covers, as a regular expression."""
    names = scope.rstrip("/").split("/")
    pattern = ""
    for number, name in enumerate(names):
        slash = "/" if number else ""
        if name == "**":
            pattern += "(?:/[^/]+)*" if number else "(?:[^/]+(?:/[^/]+)*)?"
        else:
            one = name.replace("?", "[^/]").replace("[!", "[^").replace("**", "*").replace("*", "[^/]*")
            pattern += (slash if pattern != "(?:[^/]+(?:/[^/]+)*)?" else "(?:(?<!^)/|^)") + one
    below = "(?:/.+)?" if scope.endswith("/") or not re.search(r"[*?\[]", scope) else ""
    return re.compile(pattern + below)


def covered(scope: str) -> set[str]:
    pattern = oracle(scope)
    return {path for path in PATHS if pattern.fullmatch(path)}


@given(scopes_of(any_tokens))
def test_a_scope_covers_what_its_regular_expression_matches(scope):
    assert {path for path in PATHS if covers([scope], path)} == covered(scope)


@given(scopes_of(any_tokens), scopes_of(any_tokens))
def test_scopes_that_cover_a_path_in_common_overlap(a, b):
    if covered(a) & covered(b):
        assert overlaps(a, b)
        assert overlaps(b, a)


@given(scopes_of(plain_tokens), scopes_of(any_tokens))
@example("**/a", "b/**")
def test_scopes_overlap_only_if_they_cover_a_path_in_common(a, b):
    assert overlaps(a, b) == bool(covered(a) & covered(b))


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("docs/", "docs/a.md", True),
        ("docs", "docs/a.md", True),
        ("docs", "docs2/a.md", False),
        ("docs/", "docs", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/sub/a.py", False),
        ("src/*.py", "src/", True),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("src/error_*.py", "src/error_context.py", True),
        ("src/error_*.py", "src/bundles.py", False),
        ("**", "anything/at/all", True),
        ("*/a.py", "src/*.py", True),
        ("*.py", "*.md", False),
        ("pages/[id].tsx", "pages/[id].tsx", True),
        ("pages/[id].tsx", "pages/i.tsx", True),
        ("pages/[id", "pages/[id", True),
        ("src/[!_]*.py", "src/_a.py", False),
        ("x*y*z", "x1*2z", True),
    ],
)
def test_overlaps_of_usual_scopes(a, b, meet):
    assert overlaps(a, b) is meet
    assert overlaps(b, a) is meet


def test_git_s_own_directory_is_never_covered():
    assert covers(["**"], "src/.gitignore")
    assert not covers(["**", "sub/"], "sub/.git/hooks/x")


def test_long_patterns_are_compared_without_backtracking():
    assert not covers(["a*" * 200 + "c"], "a" * 2000 + "b")
    assert not overlaps("**/" * 100 + "c", "a/" * 200 + "b*")


@pytest.mark.parametrize(
    ("scope", "spelled"),
    [
        ("src\\pkg\\a.py", "src/pkg/a.py"),
        ("./src//a.py", "src/a.py"),
        ("docs/./", "docs/"),
        ("docs/.", "docs/"),
        ("a..b", "a..b"),
        ("**", "**"),
        ("[a-z]*", "[a-z]*"),
        (".github/workflows/", ".github/workflows/"),
        (".gitignore", ".gitignore"),
        ("git~10/x", "git~10/x"),
        (" a/b c", " a/b c"),
    ],
)
def test_a_scope_has_one_spelling(scope, spelled):
    assert normalise(scope) == spelled
    assert normalise(spelled) == spelled


@pytest.mark.parametrize(
    ("scope", "part"),
    [
        ("../outside/s", "leads upwards"),
        ("a/../../b", "leads upwards"),
        ("a\\..\\b", "leads upwards"),
        ("/etc/passwd", "is absolute"),
        ("\\\\host\\share", "is absolute"),
        ("C:\\x", "is absolute"),
        ("c:x", "is absolute"),
        (".git/config", "git's own"),
        (".GIT/config", "git's own"),
        ("sub/.git/hooks/x", "git's own"),
        (".git", "git's own"),
        (".git/", "git's own"),
        (".git . /x", "git's own"),
        (".git::$INDEX_ALLOCATION/x", "git's own"),
        ("GIT~1/config", "git's own"),
        (".g\u200cit/config", "git's own"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\ud800b", "control character"),
        ("", "is empty"),
        ("  ", "is empty"),
        (".", "whole repository"),
        ("./", "whole repository"),
        (".\\.", "whole repository"),
    ],
)
def test_a_scope_outside_of_the_repository_is_refused(scope, part):
    with pytest.raises(ValueError, match=part):
        normalise(scope)


def test_a_ledger_names_the_holder_with_the_smallest_id():
    ledger = ScopeLedger()
    ledger.acquire("ws-b", ["docs/"])
    ledger.acquire("ws-a", ["docs/a.md", "src/*.py"])
    assert ledger.holder(["docs/"]) == "ws-a"
    assert ledger.holder(["docs/b.md"]) == "ws-b"
    assert ledger.holder(["README.md"]) is None
    ledger.release("ws-a")
    ledger.release("ws-never")
    assert ledger.holder(["docs/a.md", "src/x.py"]) == "ws-b"
    ledger.acquire("ws-b", ["src/"])
    assert ledger.holder(["docs/"]) is None


holdings = st.lists(st.tuples(st.sampled_from("pqrs"), st.lists(scopes_of(any_tokens), max_size=3)), max_size=8)


@given(holdings, st.lists(scopes_of(any_tokens), max_size=2))
def test_a_ledger_agrees_with_comparing_everything(steps, wanted: Sequence[str]):
    ledger = ScopeLedger()
    held: dict[str, Sequence[str]] = {}
    for ws_id, scopes in steps:
        ledger.acquire(ws_id, scopes) if scopes else ledger.release(ws_id)
        held[ws_id] = scopes
    expected = [ws_id for ws_id, scopes in held.items() for a in scopes for b in wanted if overlaps(a, b)]
    assert ledger.holder(wanted) == min(expected, default=None)


@given(st.lists(st.tuples(scopes_of(any_tokens), st.sets(st.integers(0, 5), max_size=2)), min_size=1, max_size=6))
def test_overlapping_pairs_are_those_that_nothing_orders(rows):
    made = [
        workstream(f"ws-{n}", *(f"ws-{d}" for d in sorted(needs) if d < n), files_scope=[scope])
        for n, (scope, needs) in enumerate(rows)
    ]
    above: list[set[int]] = []
    for n, (_, needs) in enumerate(rows):
        direct = {d for d in needs if d < n}
        above.append(direct.union(*(above[d] for d in direct)))
    expected = [
        (f"ws-{a}", f"ws-{b}")
        for a in range(len(rows))
        for b in range(a + 1, len(rows))
        if a not in above[b] and overlaps(rows[a][0], rows[b][0])
    ]
    found = overlapping_pairs(build_plan(made), limit=3)
    assert found.total == len(expected)
    assert [(pair.a, pair.b) for pair in found.first] == expected[:3]


def test_an_overlap_names_the_narrower_path():
    made = [workstream("ws-a", files_scope=["x", "docs/"]), workstream("ws-b", files_create=["docs/b.md"])]
    (pair,) = overlapping_pairs(build_plan(made), limit=5).first
    assert (pair.a, pair.b, pair.path) == ("ws-a", "ws-b", "docs/b.md")
