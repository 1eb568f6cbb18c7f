"""What is a secret: the values of some environment variables, told by their names."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from uet_tui.redaction import SHORTEST

_SECRET: Final = re.compile(
    r"KEY(?!BOARD)|TOKEN(?!S)|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH(?!OR)|(?:^|_)(?:PW|PAT)(?:_|$)", re.IGNORECASE
)
"""What a variable's name tells of its value; `MAX_TOKENS` counts, and `GIT_AUTHOR_NAME` is printed everywhere."""
_PLACE: Final = re.compile(r"_(?:FILE|PATH|DIR|SOCK)$", re.IGNORECASE)
"""Variables that say where a secret is, and are none."""


def is_secret(name: str) -> bool:
    """Whether the value of an environment variable is taken for a secret by its name."""
    return bool(_SECRET.search(name)) and not _PLACE.search(name)


def secrets_in(environ: Mapping[str, str], listed: Collection[str] = ()) -> dict[str, str]:
    """The secrets in an environment: by their names, or because they are listed."""
    return {
        name: value
        for name, value in sorted(environ.items())
        if len(value) >= SHORTEST and (name in listed or is_secret(name))
    }
