"""The control repository's objects, read through one lasting git process and written without any.

A git process costs 1.5 ms and more; an object read through a `cat-file` that stays costs 0.05 ms, and a loose object
is a header, a digest and zlib. With trees at hand, diffs and most merges need no process at all.
"""

import contextlib
import hashlib
import os
import subprocess
import tempfile
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from sys import intern

from uet_tui.core.conflicts import Entry
from uet_tui.errors import UetError
from uet_tui.workspace.git import Git
from uet_tui.workspace.kept import Kept

TREE = "40000"
"""The mode of a folder in a tree."""
_KEPT_NAMES = 6_000
"""Names in folders that are kept, of all folders together: some 330 bytes each."""
_KEPT_COMMITS = 500
"""Commits that are kept: some 700 bytes each. Whoever goes through the history reads each of them once."""

Tree = Mapping[bytes, Entry]
"""One folder: its names, with what git calls the content of each."""


class MissingObjectError(UetError):
    """An object that the control repository neither has nor can borrow."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"object {name} is missing from the repository: was it pruned, or is this a partial clone? "
            "`git fsck` in your repository tells"
        )


class Commit:
    """A commit as git stores it."""

    __slots__ = ("message", "parents", "tree")

    def __init__(self, data: bytes) -> None:
        head, _, message = data.partition(b"\n\n")
        lines = head.split(b"\n")
        self.tree = lines[0][5:].decode()
        self.parents = tuple(line[7:].decode() for line in lines[1:] if line.startswith(b"parent "))
        self.message = message.decode("utf-8", "replace")


class Objects:
    """Reads and writes the objects of one repository; threads may share it."""

    def __init__(self, git: Git, folder: Path, algorithm: str) -> None:
        """`folder` is the repository's `objects`, `algorithm` its object format: `sha1` or `sha256`."""
        self._git = git
        self._folder = folder
        self._algorithm = algorithm
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: Kept[Tree] = Kept(_KEPT_NAMES, len)
        self._commits: Kept[Commit] = Kept(_KEPT_COMMITS)
        self._unsettled: set[Path] = set()
        """Objects of ours that a power loss may still take."""
        self._settling = threading.Lock()
        self._width = hashlib.new(algorithm, usedforsecurity=False).digest_size
        self.empty_tree = self._digest(b"tree 0\0")

    def _digest(self, data: bytes) -> str:
        return hashlib.new(self._algorithm, data, usedforsecurity=False).hexdigest()

    def path(self, oid: str) -> Path:
        """Where the object is, if it is loose and this repository's own."""
        return self._folder / oid[:2] / oid[2:]

    def _ask(self, order: str, name: str) -> tuple[str, str, int, bytes] | None:
        """The id, kind, size and content of an object; None if there is none of this name."""
        if name.split() != [name] or "\0" in name:
            return None  # else it would be several orders, or none, and every later answer that of another
        with self._lock:
            for _ in range(2):
                if self._process is None or self._process.poll() is not None:
                    self._process = self._git.start("cat-file", "--batch-command")
                stdin, stdout = self._process.stdin, self._process.stdout
                if stdin is None or stdout is None:
                    raise AssertionError("start() opens both")
                with contextlib.suppress(BrokenPipeError):
                    stdin.write(f"{order} {name}\n".encode("utf-8", "replace"))
                    stdin.flush()
                head = stdout.readline()
                words = head.split()
                if head.endswith(b"\n") and len(words) != 3:
                    return None
                if head.endswith(b"\n"):
                    size = int(words[2])
                    data = stdout.read(size + 1) if order == "contents" else b""
                    if order != "contents" or len(data) == size + 1:
                        return words[0].decode(), words[1].decode(), size, data[:-1]
                self._process.kill()  # it ended in the middle of its answer
                self._end()
        return None

    def find(self, name: str) -> str | None:
        """The object that a full name (a ref or an id) stands for now; None if there is none."""
        found = self._ask("info", name)
        return found[0] if found else None

    def size(self, oid: str) -> int:
        """How many bytes an object holds.

        Raises:
            MissingObjectError: there is no such object.
        """
        found = self._ask("info", oid)
        if found is None:
            raise MissingObjectError(oid)
        return found[2]

    def read(self, oid: str, kind: str) -> bytes:
        """The content of an object of a kind.

        Raises:
            MissingObjectError: there is no such object of this kind.
        """
        found = self._ask("contents", oid)
        if found is None or found[1] != kind:
            raise MissingObjectError(oid)
        return found[3]

    def write(self, kind: str, data: bytes) -> str:
        """Stores an object and gives its id; the file appears whole or not at all. `settle` makes it last."""
        whole = f"{kind} {len(data)}\0".encode() + data
        oid = self._digest(whole)
        path = self.path(oid)
        if path.exists():
            return oid
        path.parent.mkdir(exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix="tmp_obj_", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(zlib.compress(whole, 1))
                os.fchmod(file.fileno(), 0o444)
            os.replace(temporary, path)  # noqa: PTH105 - the temporary name is a string
            self._unsettled.add(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return oid

    def settle(self) -> None:
        """Has all objects written so far survive a power loss: to be done before a ref or a record names them.

        Together they cost little more than one of them: the first one has the file system write its journal.
        """
        with self._settling:  # whoever finds nothing left to do must know that it is done, too
            written = []
            while self._unsettled:
                written.append(self._unsettled.pop())
            for path in (*written, *{path.parent for path in written}, *([self._folder] if written else [])):
                with contextlib.suppress(FileNotFoundError):
                    descriptor = os.open(path, os.O_RDONLY)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)

    def commit(self, oid: str) -> Commit:
        """A commit."""
        return self._commits.get(oid) or self._commits.keep(oid, Commit(self.read(oid, "commit")))

    def tree(self, oid: str) -> Tree:
        """The names in a folder. Trees never change, so the newest are kept."""
        known = self._trees.get(oid)
        if known is None:
            found = {} if oid == self.empty_tree else self._parse(self.read(oid, "tree"))
            known = self._trees.keep(oid, found)
        return known

    def _parse(self, data: bytes) -> Tree:
        found: dict[bytes, Entry] = {}
        at = 0
        while at < len(data):
            space = data.index(b" ", at)
            zero = data.index(b"\0", space)
            end = zero + 1 + self._width
            found[data[space + 1 : zero]] = Entry(intern(data[at:space].decode()), data[zero + 1 : end].hex())
            at = end
        return found

    def write_tree(self, tree: Tree) -> str:
        """Stores a folder."""
        ordered = sorted(tree.items(), key=lambda item: item[0] + b"/" if item[1].mode == TREE else item[0])
        return self.write(
            "tree", b"".join(e.mode.encode() + b" " + name + b"\0" + bytes.fromhex(e.oid) for name, e in ordered)
        )

    def close(self) -> None:
        """Ends the lasting process; the next read starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            process.wait()
