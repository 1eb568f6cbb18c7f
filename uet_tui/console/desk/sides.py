"""The four boxes of the desk: ours, theirs, base and proposal, beside each other or stacked."""

from collections.abc import Callable, Mapping
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from uet_tui.console.desk.evidence import spent, who, without_proposal
from uet_tui.console.desk.marks import MarkedLine, compared, folded, side_lines
from uet_tui.console.desk.side import Said, SideBox
from uet_tui.console.desk.spots import Spot, by_parts, choice_at, file_at, hunk_at
from uet_tui.console.desk.words import kind_words, ours_name
from uet_tui.console.format import end_time, plural
from uet_tui.store.conflict_text import SIDES, SideText
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, HunkView
from uet_tui.store.views import RunView

Texts = Mapping[str, SideText]
"""What a file is on each side that has it, where hunks do not tell it."""
_TAKEN = {
    "ours": {"ours": "taken", "both": "taken first", "both-theirs-first": "taken second"},
    "theirs": {"theirs": "taken", "both": "taken second", "both-theirs-first": "taken first"},
    "proposal": {"proposal": "taken"},
}


class Sides(VerticalScroll, can_focus=False):
    """What each side did at one spot; draws only when that changed, so that scrolling is left alone."""

    def __init__(self) -> None:
        super().__init__(id="sides")
        self._drawn: dict[str, object] = {}

    def compose(self) -> ComposeResult:
        """Ours and theirs first: they are what one chooses from."""
        for name in ("ours", "theirs", "base", "proposal"):
            yield SideBox(id=name)

    def show(
        self, view: RunView, conflict: ConflictView, spot: Spot, now: datetime, texts: Texts | None = None
    ) -> None:
        """Shows a spot; `texts` is None while they are being read."""
        file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
        if file is None:
            return
        taken = {name: words.get(choice_at(conflict, spot) or "", "") for name, words in _TAKEN.items()}
        self._box("ours").label(_ours_title(view, conflict, now), taken["ours"])
        self._box("theirs").label(_theirs_title(view, conflict), taken["theirs"])
        self._box("base").label("base: before both" if hunk else "what happened")
        self._box("proposal").label(_proposal_title(conflict, file), taken["proposal"], warn=bool(file.lost))
        if hunk is None:
            self._show_file(conflict, file, texts)
        else:
            self._show_hunk(conflict, file, hunk, texts)

    def _fresh(self, name: str, *shown: object) -> bool:
        """Whether a box shows something else until now; remembers what it will show."""
        if self._drawn.get(name) == shown:
            return False
        self._drawn[name] = shown
        return True

    def _show_hunk(self, conflict: ConflictView, file: ConflictFileView, hunk: HunkView, texts: Texts | None) -> None:
        for name, lines in (("ours", hunk.ours), ("theirs", hunk.theirs), ("base", hunk.base)):
            if self._fresh(name, conflict.id, file.path, hunk.line, hunk.before, hunk.after, hunk.base, lines):
                self._box(name).show(side_lines(hunk, lines), file.path)
        if hunk.proposal is None:
            self._show_proposal(conflict, file, texts)
        elif self._fresh("proposal", conflict.id, file.path, hunk.line, hunk.before, hunk.base, hunk.proposal):
            self._box("proposal").show(side_lines(hunk, hunk.proposal), file.path)

    def _show_file(self, conflict: ConflictView, file: ConflictFileView, texts: Texts | None) -> None:
        what, with_ours, with_theirs = kind_words(file)
        known = texts or {}
        said: list[Said] = [(f"{file.path}: {file.note or what}", "bold")]
        said += [(f"also concerned: {path}", "$text-warning") for path in file.beside]
        base = known.get("base")
        if self._fresh("base", conflict.id, file.path, said, base):
            box, about = self._box("base"), [(f"before both: {base.about}", "$foreground-muted")] if base else []
            box.show(_numbered(base.lines), file.path, [*said, *about]) if base and base.lines else box.say(
                *said, *about
            )
        for name, key, gets in (("ours", "o", with_ours), ("theirs", "t", with_theirs)):
            side = known.get(name)
            if not self._fresh(name, conflict.id, file, side, base):
                continue
            lead: list[Said] = [(f"{key} takes {gets}", ""), *([(side.about, "$foreground-muted")] if side else [])]
            if side is not None and side.lines:
                self._box(name).show(_changed(base, side), file.path, lead)
            else:
                self._box(name).say(*lead)
        self._show_proposal(conflict, file, texts)

    def _show_proposal(self, conflict: ConflictView, file: ConflictFileView, texts: Texts | None) -> None:
        """A proposal for the whole file, against ours; or why there is none."""
        proposal, ours = (texts or {}).get("proposal"), (texts or {}).get("ours")
        none = list(without_proposal(conflict)) if not file.proposed_by else []
        if not self._fresh("proposal", conflict.id, file, proposal, ours, none, texts is None):
            return
        box, key = self._box("proposal"), "P" if file.hunks else "p"
        if none:
            box.say(*none)
        elif file.proposes_deletion:
            box.say((f"{key} takes it: there is no such file any more", ""))
        elif proposal is None:
            box.say(
                ("reading it …" if texts is None else f"{key} takes it; its text cannot be shown", "$foreground-muted")
            )
        else:
            lead: list[Said] = [
                (f"{key} takes it, for the whole file; below: what it changes in ours", ""),
                (proposal.about, "$foreground-muted"),
            ]
            lines = _changed(ours, proposal) if proposal.lines else ()
            box.show(lines, file.path, lead) if lines else box.say(*lead)

    def _box(self, name: str) -> SideBox:
        return self.query_one(f"#{name}", SideBox)


def needs_texts(file: ConflictFileView) -> bool:
    """Whether a file can only be shown with the texts of its sides."""
    return not file.hunks or (bool(file.proposed_by) and not by_parts(file))


def read_texts(read: Callable[[str, int, str], SideText | None], conflict: str, index: int) -> Texts:
    """The texts of all sides that there are."""
    found = {side: read(conflict, index, side) for side in SIDES}
    return {side: text for side, text in found.items() if text is not None}


def _numbered(lines: tuple[str, ...]) -> tuple[MarkedLine, ...]:
    return tuple(MarkedLine(number, " ", line) for number, line in enumerate(lines, start=1))


def _changed(base: SideText | None, side: SideText) -> tuple[MarkedLine, ...]:
    """The lines of a side near what it changed; all of them where there is nothing to compare it with."""
    if base is None or not base.lines:
        return _numbered(side.lines)
    lines = compared(base.lines, side.lines)
    return folded(lines) if any(line.mark != " " for line in lines) else ()


def _ours_title(view: RunView, conflict: ConflictView, now: datetime) -> str:
    merged = [ws.ended_at for id in conflict.against if (ws := view.workstream(id)) and ws.ended_at]
    return f"ours: {ours_name(conflict)}" + (f", merged {end_time(max(merged), now)}" if merged else "")


def _theirs_title(view: RunView, conflict: ConflictView) -> str:
    ws = view.workstream(conflict.workstream)
    return f"theirs: {conflict.workstream}" + (f" ({ws.agent}, attempt {ws.attempts})" if ws else "")


def _proposal_title(conflict: ConflictView, file: ConflictFileView) -> Content:
    if not file.proposed_by and not any(hunk.proposal is not None for hunk in file.hunks):
        return Content("proposal: none")
    verdict = "refused" if file.lost else "settled"  # what was tried after it, and came to nothing, did not make it
    made = [rung for rung in conflict.tried if (rung.name, rung.verdict) == (file.proposed_by, verdict)]
    used = f", {spent(made[-1])}" if made and spent(made[-1]) else ""
    title = Content(f"proposal: by {who(conflict, file.proposed_by)}{used}")
    if file.lost:
        title += Content.styled(f" ⊘ drops {plural(len(file.lost), 'line')}", "bold $text-warning")
    return title
