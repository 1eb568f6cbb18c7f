"""How many examples hypothesis makes where each is dear."""

from typing import Final

from hypothesis import settings

_USUAL: Final = 100
"""What hypothesis makes unless a profile asks for more."""


def few(number: int) -> int:
    """So many examples; as many as the profile says where one is chosen that asks for more than usual.

    With `make fuzz` the dear ones are tried ten thousand times like all others.
    """
    asked: int = settings().max_examples
    return asked if asked > _USUAL else number
