"""A real git repository of an operator, small and quick to make."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_FILES = {
    "README.md": "# Sample\n",
    "src/app.py": 'def greet(name):\n    return f"hello {name}"\n',
    "src/numbers.py": "def double(value):\n    return value * 2\n",
    "tests/test_app.py": "from src.app import greet\n\n\ndef test_greet():\n    assert greet('x') == 'hello x'\n",
    ".gitignore": "__pycache__/\n",
}


@dataclass(frozen=True)
class Repository:
    """A working copy with a branch `main`; its identity is set in its own configuration."""

    path: Path

    def git(self, *arguments: str, check: bool = True) -> str:
        """What git prints, without the final line end."""
        done = subprocess.run(["git", *arguments], cwd=self.path, check=False, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def write(self, name: str, text: str) -> Path:
        """A file of the working copy with this text."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, message: str) -> str:
        """The id of a commit of everything that is in the working copy."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD")


def make_repository(path: Path, files: dict[str, str] | None = None) -> Repository:
    """A repository at `path` with one commit that holds `files` (a few of its own by default)."""
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "-q", "-b", "main")
    for key, value in {
        "user.name": "Operator",
        "user.email": "operator@example.invalid",
        "commit.gpgsign": "false",
        "gc.auto": "0",
    }.items():
        repository.git("config", key, value)
    for name, text in (_FILES if files is None else files).items():
        repository.write(name, text)
    repository.commit("Begin")
    return repository
