"""Counting tokens: as the vocabulary has it, in pieces that count like the whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_imports import loaded
from uet_tui.agents.context import tokens
from uet_tui.agents.context.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello world", 2),
        ("def greet(name):\n    return name\n", 8),
        ("größer — 日本語 ✓", 6),
        ("\ud800", 1),
        ("<|endoftext|>", 7),
    ],
)
def test_texts_have_as_many_tokens_as_the_vocabulary_says(text: str, count: int) -> None:
    assert count_tokens(text) == count


@given(st.text(alphabet="ab 1/\n\r\t.!'é日\u0301\u2028\x0b\x0c\x85\u00a0", max_size=200))
def test_pieces_count_like_the_whole(text: str) -> None:
    whole = count_tokens(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_PIECE", 5)
        assert count_tokens(text) == whole


def test_threads_may_count_at_once() -> None:
    texts = [f"line {number}\n" * 500 for number in range(20)]
    alone = [count_tokens(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(count_tokens, texts)] == alone


def test_a_megabyte_of_one_letter_is_no_trouble() -> None:
    assert count_tokens("A" * 1_000_000) < 500_000


def test_only_the_compiled_part_of_the_library_is_loaded() -> None:
    modules = loaded("from uet_tui.agents.context.tokens import count_tokens; count_tokens('x')")
    assert "bpe_openai._bindings" in modules and "bpe_openai.compat" not in modules
