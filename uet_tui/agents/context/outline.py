"""Files in outline: what they define, with signatures and the first lines of what is said of it, without the code."""

import posixpath
import re

from uet_tui.agents.context.outline_python import outline_python

_LARGEST = 400_000
"""Bytes of a file that is outlined; a larger one is generated."""
_HEADING = re.compile(r"^#{1,4} .+$", re.M)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_MOST_HEADINGS = 60


def outline(path: str, data: bytes, *, brief: bool = False) -> str | None:
    """The outline of a file; None where there is none to be had: another language, broken, or nothing defined.

    Args:
        path: its ending says what language it is.
        data: its content.
        brief: only what stands at the outermost, without what is said about it.
    """
    if len(data) > _LARGEST:
        return None
    ending = posixpath.splitext(path)[1]
    text = data.decode("utf-8", "replace")
    match ending:
        case ".py" | ".pyi":
            found = outline_python(text, brief=brief)
        case ".md":
            headings = _HEADING.findall(_FENCE.sub("", text))[:_MOST_HEADINGS]
            found = "\n".join(line for line in headings if not brief or line.startswith(("# ", "## ")))
        case _:
            from uet_tui.agents.context.outline_syntax import outline_syntax  # tree-sitter: only for what needs it

            found = outline_syntax(ending, data, brief=brief)
    return found or None
