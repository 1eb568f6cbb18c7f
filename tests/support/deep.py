"""Folders within folders, deeper than anything that goes down by recursion can follow."""

import os
from pathlib import Path

SCRIPT = 'python3 -c \'import os\nfor _ in range({levels}):\n os.mkdir("d"); os.chdir("d")\''
"""As an agent makes them where it stands."""


def deep(top: Path, levels: int) -> None:
    """Makes a folder with so many levels below it."""
    top.mkdir(parents=True)
    here = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
