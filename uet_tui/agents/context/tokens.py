"""How many tokens a text is, by the vocabulary `o200k_base`. Nothing is loaded before the first text is counted."""

import re
import sys
import threading
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Protocol

VOCABULARY = "o200k_base"
_PIECE = 65_536
"""Characters that are counted at a time: the library keeps other threads waiting meanwhile, 3 ms for so many."""
_SEAM = re.compile(r"\n(?=[^\s/])")
"""Where a text can be cut and count the same: no token goes beyond a line end that neither blank nor slash follows."""

_loading = threading.Lock()
_tokenizer: "_Tokenizer | None" = None


class _Tokenizer(Protocol):
    """What is used of the library; its threads may share it."""

    def count(self, text: str) -> int: ...


def count_tokens(text: str) -> int:
    """The tokens of a text; special tokens that are spelled out in it count as ordinary text."""
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode()  # a lone surrogate is no text
    tokenizer = _load()
    total = start = 0
    while len(whole) - start > _PIECE:
        seam = _SEAM.search(whole, start + _PIECE)
        if seam is None:
            break
        total += tokenizer.count(whole[start : seam.end()])
        start = seam.end()
    return total + tokenizer.count(whole[start:])


def _load() -> _Tokenizer:
    """The tokenizer, loaded once: 60 ms and 65 MB.

    The package itself is passed over, only its compiled module is loaded: importing the package builds every table that
    it has in Python, which takes 0.8 s, in which nothing else runs, and 65 MB more.
    """
    global _tokenizer  # noqa: PLW0603 - one for the process, like any loaded module
    with _loading:
        if _tokenizer is None:
            name = "bpe_openai._bindings"
            module = sys.modules.get(name)
            if module is None:
                package = find_spec("bpe_openai")
                spec = package and PathFinder.find_spec(name, package.submodule_search_locations)
                if spec is None or spec.loader is None:
                    raise ModuleNotFoundError("bpe-openai is not whole: install uet again", name=name)
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                sys.modules[name] = module  # it can be loaded once only
            _tokenizer = module.tokenizer_for_encoding(VOCABULARY)
        return _tokenizer
