"""A control repository over a small operator's repository, and quick ways to make commits in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.repository import Repository
from uet_tui.core.conflicts import Entry
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.sandbox import Sandbox


@dataclass(frozen=True)
class Bench:
    """What a test of git work stands on."""

    repository: Repository
    operator: OperatorRepository
    control: ControlRepository

    @classmethod
    def over(cls, repository: Repository) -> "Bench":
        """A new control repository in the repository's `.uet`."""
        operator = OperatorRepository.discover(repository.path)
        operator.exclude_uet()
        return cls(
            repository, operator, ControlRepository.open_or_create(repository.path / ".uet/control.git", operator)
        )

    @property
    def base(self) -> str:
        """The commit that the operator has checked out."""
        return self.operator.head

    def commit(self, parent: str, edits: Mapping[str, bytes | Entry | None], message: str = "work") -> str:
        """A commit on `parent` with files written, or deleted (None)."""
        entries = {
            path: Entry("100644", self.control.write_blob(data)) if isinstance(data, bytes) else data
            for path, data in edits.items()
        }
        tree = self.control.tree_with(self.control.tree_of(parent), entries)
        return self.control.commit_tree(tree, (parent,), message)

    def first(self, files: Mapping[str, bytes]) -> str:
        """A commit without parents that holds just these files."""
        entries = {path: Entry("100644", self.control.write_blob(data)) for path, data in files.items()}
        return self.control.commit_tree(self.control.tree_with(self.control.objects.empty_tree, entries), (), "first")

    def text(self, tree: str, path: str) -> bytes | None:
        """What a tree has in a file; None if it has no such file."""
        entry = self.control.entry(tree, path)
        return None if entry is None else self.control.read_blob(entry.oid)

    def sandbox(self, name: str = "1", keep: tuple[str, ...] = ()) -> Sandbox:
        """A sandbox, not yet reset."""
        home = self.repository.path / ".uet"
        return Sandbox(self.control, home / "sandboxes" / name, home / "indexes" / name, keep)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but those in its `.git`, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != ".git"
    }
