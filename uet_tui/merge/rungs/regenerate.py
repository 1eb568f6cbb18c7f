"""Regenerate: lock files and generated files are made anew by their command, in a sandbox that holds the merge."""

from collections.abc import Sequence
from dataclasses import replace

from uet_tui.core.conflicts import ConflictFile, holds
from uet_tui.merge.proposing import with_settled
from uet_tui.merge.rungs import Case, Made, Ran
from uet_tui.plan.scopes import covers
from uet_tui.settings.model import PathCommand
from uet_tui.text import one_line

_NAMED = 3
"""Other files that a command changed which are named."""


def regenerate(case: Case, files: Sequence[ConflictFile]) -> Made:
    """Runs each configured command once for all files that it covers, one after another, each on what came before.

    A file that is not settled is ours' version there, so a command meets no conflict marker.
    """
    made = Made()
    left = [file for file in files if _regular(file)]
    for entry in case.settings.regenerate:
        meant = [file for file in left if covers(entry.paths, file.path)]
        left = [file for file in left if file not in meant]
        if meant:
            made = _run(case, entry, meant, made)
    return made


def _regular(file: ConflictFile) -> bool:
    return all(entry is not None and entry.mode.startswith("100") for entry in (file.ours, file.theirs))


def _run(case: Case, entry: PathCommand, meant: Sequence[ConflictFile], before: Made) -> Made:
    control = case.control
    tree = with_settled(control, case.tree, case.files, marked=False)
    for path, text in before.texts.items():
        mode = control.entry(tree, path)
        if mode is not None:
            tree = control.tree_with(tree, {path: replace(mode, oid=control.write_blob(text))})
    ran = case.workshop.in_tree(tree, entry.command)
    problem = why_failed(ran, case.settings.command_seconds)
    if problem:
        return replace(before, failed={**before.failed, **{file.path: problem for file in meant}})
    texts, failed = dict(before.texts), dict(before.failed)
    changed = {change.path: change for change in ran.changes}
    for file in meant:
        change = changed.pop(file.path, None)
        now = control.entry(tree, file.path) if change is None else change.new
        if now is None or not now.mode.startswith("100"):
            failed[file.path] = "the command left no plain file there"
        else:
            texts[file.path] = control.read_blob(now.oid)
    return Made(texts, failed, (*before.notes, *_notes(case, meant, sorted(changed))))


def why_failed(ran: Ran, seconds: float) -> str:
    """Why what a command left is not to be looked at, in one line; empty if it ended well."""
    if ran.code == 0:
        return ""
    if ran.code is None:
        return f"did not end in {seconds:g} s"
    last = next((line for line in reversed(ran.output.splitlines()) if line.strip()), "it printed nothing")
    what = {126: "cannot be run", 127: "was not found"}.get(ran.code, f"ended with {ran.code}")
    return one_line(f"{what}: {last}")


def _notes(case: Case, meant: Sequence[ConflictFile], others: Sequence[str]) -> list[str]:
    notes = []
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        notes.append(f"it also changed {', '.join(map(one_line, others[:_NAMED]))}{more}, which is left out")
    open_ = [file.path for file in case.files if not holds(file) and file not in meant]
    if open_:
        notes.append(f"made with ours' version of {', '.join(map(one_line, open_[:_NAMED]))}")
    return notes
