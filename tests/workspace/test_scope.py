"""Which changes are outside of what a workstream may change."""

from uet_tui.plan.model import Workstream
from uet_tui.workspace.scope import outside
from uet_tui.workspace.trees import Change


def test_what_neither_scope_nor_creation_covers_is_outside() -> None:
    workstream = Workstream(
        id="ws-a", openspec_change="X", ccpm_issue=1, gate=1, tool="shell", tasks=("t",),
        files_scope=("src/", "docs/*.md"), files_create=("tests/test_new.py",),
    )  # fmt: skip
    paths = ["docs/a.md", "docs/deep/a.md", "src/x.py", "srcs/x.py", "tests/test_new.py", "tests/test_old.py"]
    changes = [Change("D", path, None, None) for path in paths]
    assert outside(changes, workstream) == ("docs/deep/a.md", "srcs/x.py", "tests/test_old.py")
