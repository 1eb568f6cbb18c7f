"""Looking for words in the files of a tree."""

from collections.abc import Sequence

from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.trees import decode

_NOTHING = 1
"""What git grep ends with where it found nothing."""


def holding(control: ControlRepository, tree: str, words: Sequence[str]) -> dict[str, int]:
    """The text files of a tree that hold any of some words as whole words, with the number of such lines in each.

    As the words are: no expression, letter case counts. One git process, which reads every file: 1 s for 10,000.
    """
    named = "".join(f"{word}\n" for word in words if word and "\n" not in word)
    if not named:
        return {}
    done = control.git.run(
        "grep", "-c", "-z", "-I", "-F", "-w", "--no-textconv", "--no-recurse-submodules", "-f", "-", tree, "--",
        input=named.encode("utf-8", "surrogateescape"), ok=(0, _NOTHING),
    )  # fmt: skip
    found: dict[str, int] = {}
    name, *rest = done.out.split(b"\0")
    for part in rest:  # a name may hold a line end, a count does not
        count, _, after = part.partition(b"\n")
        found[decode(name.removeprefix(tree.encode() + b":"))] = int(count)
        name = after
    return found
