"""The scratch repository that the demo plays in: a small real project with a plan for its next version.

The project is `project/` beside this module, as it is: source, tests, `config/` and `workstreams/`.
"""

import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.workspace.founding import found_repository

PROJECT = Path(__file__).with_name("project")
"""What the scratch repository is made of."""


def make_scratch(folder: Path | None = None) -> Path:
    """Makes the scratch repository in `folder`, or in a new temporary one, and returns where it is.

    Raises:
        UetError: the folder is not empty or cannot be made, or git is missing or too old; nothing was left behind.
    """
    try:
        if folder is not None and folder.exists() and any(folder.iterdir()):
            raise UetError(f"{folder} is not empty: name a new folder, or none for a temporary one")
        root = Path(folder or tempfile.mkdtemp(prefix="uet-demo-")).resolve()
        new = [path for path in (root, *root.parents) if not path.exists()]
        try:
            _fill(root)
        except BaseException:
            shutil.rmtree(new[-1] if new else root, ignore_errors=True)
            if folder is not None and not new:
                root.mkdir()
            raise
    except OSError as error:
        where = folder or "a temporary folder"
        raise UetError(f"cannot make the demo in {where}: {error.strerror or error}") from error
    return root


def python() -> str:
    """The interpreter for the project's tests: `python3`, or this program's own where there is none of that name."""
    return "python3" if shutil.which("python3") else sys.executable


def _fill(root: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")  # an installer may have compiled what is installed
    shutil.copytree(PROJECT, root, copy_function=shutil.copyfile, dirs_exist_ok=True, ignore=ignore)
    gates = root / "config" / "gates.yaml"
    text = gates.read_text(encoding="utf-8")
    gates.write_text(text.replace("python3 ", f"{shlex.quote(python())} "), encoding="utf-8")
    found_repository(root, "Begin")
