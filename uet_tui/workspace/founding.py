"""Making a git repository of a folder."""

from pathlib import Path

from uet_tui.workspace.git import Git, check_version


def found_repository(folder: Path, message: str) -> None:
    """Makes a repository of a folder, with all that is in it as the first commit on `main`.

    The operator's configuration is not read, so neither a missing identity nor a hook, template or signing key of
    theirs matters.

    Raises:
        UetError: git is missing or too old.
        GitError: git would not.
    """
    check_version()
    git = Git(folder)
    git.run("init", "-q", "--template=", "--initial-branch=main")
    git.run("add", "--all")
    git.run("commit", "-q", "-m", message)
