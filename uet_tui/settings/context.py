"""The settings of context: what of a repository's files an agent is told."""

from typing import Annotated

from pydantic import Field

from uet_tui.settings.group import Group

Tokens = Annotated[int, Field(ge=1)]


class ContextSettings(Group):
    """How much agents are told that read a text prompt."""

    window_tokens: Tokens
    """What an agent can read at once whose `context_tokens` is not set."""
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    """How much of what it can read its prompt may fill, files included."""
    list_tokens: Annotated[int, Field(ge=0)]
    """The longest list of files that matter, for an agent that reads by itself; 0: none."""
    large_tokens: Tokens
    """Files with more tokens are told in outline where not all fit."""
