"""A store's write-ahead log as it is on disk: where its frames end, and which of them end a transaction."""

import struct
from pathlib import Path

_HEADER = 32
_FRAME_HEADER = 24


def frame_ends(log: Path) -> list[tuple[int, bool]]:
    """Where each frame ends, in bytes, and whether it ends a transaction."""
    data = log.read_bytes()
    page = struct.unpack(">I", data[8:12])[0]
    size = _FRAME_HEADER + page
    found = []
    for at in range(_HEADER, len(data) - size + 1, size):
        found.append((at + size, struct.unpack(">I", data[at + 4 : at + 8])[0] != 0))
    return found
