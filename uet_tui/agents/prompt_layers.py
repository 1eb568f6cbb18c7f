"""The templates of prompts that hold for a repository, known to work."""

from collections.abc import Mapping
from pathlib import Path

from uet_tui.settings.prompts import PromptFile, overridden, read_prompts


def effective_prompts(repository: Path | None) -> Mapping[str, PromptFile]:
    """The templates that hold, by name. Only where some are not as they were shipped, they are looked through.

    Raises:
        UetError: one is wrong; names its file, the line and the fix.
    """
    found = read_prompts(repository)
    if overridden(found):
        from uet_tui.agents.prompt_check import check_prompts  # with a template engine, which most commands do without

        check_prompts(found)
    return found
