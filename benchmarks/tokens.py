"""Counting the tokens of 10,000 files: cold, warm, and what it takes of memory, beside reading and hashing them.

    python -m benchmarks.tokens [--files 10000] [--rounds 3] [--json]

The files are made of this repository's own sources: each is a source, from some line on, so that no two are alike.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks._report import Figure, medians, tell
from uet_tui.agents.context.counts import Counts

ROOT = Path(__file__).resolve().parent.parent
COLD_SECONDS, WARM_SECONDS, PEAK_MB = 10.0, 1.0, 300.0
"""What is wanted of 10,000 files."""


def sources() -> list[bytes]:
    """The text files that git keeps of this repository, but for pictures and locks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.split("\0") if name.endswith((".py", ".md", ".yaml", ".toml", ".json", ".sql"))]
    return [(ROOT / name).read_bytes() for name in sorted(names) if (ROOT / name).is_file()]


def made(files: int) -> Iterator[bytes]:
    """As many contents as are wanted: each source, then each from a later line on, marked with its number."""
    found = sources()
    for number in range(files):
        lines = found[number % len(found)].splitlines(keepends=True)
        shift = number // len(found) % max(1, len(lines))
        yield b"# %d\n" % number + b"".join(lines[shift:] + lines[:shift])


def lay_out(folder: Path, files: int) -> dict[str, Path]:
    """Writes them, each under its id, as git would give it."""
    there = {}
    for data in made(files):
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        there[oid] = folder / oid
        there[oid].write_bytes(data)
    return there


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-tokens-") as folder:
        there = lay_out(Path(folder), asked.files)
        store = Path(folder) / "tokens"
        warm = Counts(Path(folder) / "warm")
        read = lambda oid: there[oid].read_bytes()  # noqa: E731 - said once, used thrice

        def cold() -> None:
            store.unlink(missing_ok=True)
            Counts(store).of(there, read)

        def hashed() -> None:
            for path in there.values():
                hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()

        counts = warm.of(there, read)
        took = medians(asked.rounds, {"cold": cold, "warm": lambda: warm.of(there, read), "hashed": hashed})
        size = sum(path.stat().st_size for path in there.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    against = "reading and hashing them"
    told = f"{size / 1e6:.0f} MB, {sum(counts.values())} tokens"
    memory = f"peak memory {peak:.0f} MB, goal < {PEAK_MB:.0f} MB: {'met' if peak < PEAK_MB else 'NOT met'}"
    figures = [
        Figure(f"{len(there)} files counted, cold", took["cold"], against, took["hashed"], COLD_SECONDS, told),
        Figure(f"{len(there)} files counted, warm", took["warm"], against, took["hashed"], WARM_SECONDS, memory),
    ]
    return tell(f"Token counts, medians of {asked.rounds}", figures, as_json=asked.json) or int(peak >= PEAK_MB)


if __name__ == "__main__":
    sys.exit(main())
