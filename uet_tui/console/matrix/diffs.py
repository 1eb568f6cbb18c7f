"""One file's part of a diff of many files. Pure."""


def part_of(diff: str, path: str) -> str:
    """The part of a diff of git's that is about a path; empty if none is. Renames are told as two files."""
    found: list[str] = []
    inside = False
    for line in diff.splitlines(keepends=True):
        if line.startswith("diff --git "):
            inside = line.rstrip("\n") == f"diff --git a/{path} b/{path}"
        if inside:
            found.append(line)
    return "".join(found)
