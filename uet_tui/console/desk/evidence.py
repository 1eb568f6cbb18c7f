"""What speaks for and against a proposal: what was tried, what gates said, what would be lost. Pure."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from uet_tui.console.desk.spots import choice_at, spots
from uet_tui.console.format import BAD, CARE, GOOD, QUIET, duration, gate_look, money, plural
from uet_tui.store.conflict_views import ConflictView, GateView, RungView

_VERDICTS = {"settled": ("✓", GOOD), "refused": ("⊘", CARE), "failed": ("✗", BAD), "not applicable": ("–", QUIET)}
_NAMES = {"recorded": "recorded resolution", "regenerate": "regenerated", "structural": "structural merge"}
_LINES = 60
"""Lines of a gate's output that are shown: its end tells what failed."""


def rung_look(verdict: str) -> tuple[str, str]:
    """The glyph and the style of a rung's verdict."""
    return _VERDICTS.get(verdict, ("?", CARE))


def tried(conflict: ConflictView) -> Content:
    """Which rungs of the ladder were tried, and what came of each, on one line."""
    if not conflict.tried:
        now = "the ladder, from its lowest rung" if conflict.busy == "ladder" else "nothing but git's own merge"
        return Content.styled(f"tried: {now}", QUIET)
    return Content.styled("tried: ", QUIET) + Content(" · ").join(_rung(rung) for rung in conflict.tried)


def _rung(rung: RungView) -> Content:
    glyph, style = rung_look(rung.verdict)
    word = "" if rung.verdict == "not applicable" else f" {rung.verdict}"
    used = f" {spent(rung)}" if spent(rung) else ""
    return Content.assemble((rung.name, "" if word else QUIET), (f" {glyph}{word}", style), (used, QUIET))


def spent(rung: RungView) -> str:
    """The time and money that a rung took; empty where both are nothing."""
    return ", ".join([duration(rung.seconds)] * (rung.seconds >= 1) + [money(rung.cost_usd)] * (rung.cost_usd > 0))


def proposal_gates(conflict: ConflictView) -> tuple[GateView, ...]:
    """What gates said of the proposal, or of the resolution as it was merged last."""
    return tuple(gate for gate in conflict.gates if gate.where in ("proposal", "merged"))


def gates_red(conflict: ConflictView) -> bool:
    """Whether a gate speaks against the proposal."""
    return any(gate.red for gate in proposal_gates(conflict))


def gates_against(conflict: ConflictView) -> bool:
    """Whether gates were red on what would be merged: nothing was decided otherwise than proposed."""
    return gates_red(conflict) and all(choice_at(conflict, spot) in (None, "proposal") for spot in spots(conflict))


def lost(conflict: ConflictView) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The files whose proposal drops something, with the evidence."""
    return tuple((file.path, file.lost) for file in conflict.files if file.lost)


def verdicts(conflict: ConflictView) -> Content:
    """What gates said of the result, and what it loses, on one line."""
    if conflict.proposal is None and not conflict.gates:
        when = "they run on what is decided, before it is merged" if conflict.open else "none ran on a proposal"
        return Content.styled(f"gates: {when}", QUIET)
    parts = []
    if conflict.proposal is not None:
        count = sum(len(lines) for _, lines in lost(conflict))
        what = ("none", GOOD) if not count else (f"⊘ {plural(count, 'line')}, v shows", f"bold {CARE}")
        parts.append(Content.assemble(("lost lines: ", QUIET), what))
    gates = [gate for gate in proposal_gates(conflict) if gate.verdict != "not configured"]
    seconds = sum(gate.seconds for gate in gates)
    took = f" {duration(seconds)}" if seconds >= 1 else ""
    said = Content(" ").join(_gate(gate) for gate in gates) if gates else Content.styled("none ran", QUIET)
    parts.append(Content.styled("gates on the result: ", QUIET) + said + Content.styled(took, QUIET))
    return Content("   ").join(parts)


def _gate(gate: GateView) -> Content:
    look = gate_look(gate.verdict)
    word = "" if gate.verdict == "passed" else f" {gate.verdict}"
    return Content.assemble(gate_name(gate), (f" {look.glyph}{word}", look.style))


def gate_name(gate: GateView) -> str:
    """`lint` for GATE_LINT."""
    return gate.gate.removeprefix("GATE_").lower()


def glance(conflict: ConflictView) -> tuple[str, str]:
    """What is proposed and whether it holds, in a few words, and their style."""
    if doing := {"ladder": "… ladder", "agent": "… agent at it", "turn": "… to ask agent"}.get(conflict.busy, ""):
        return doing, "$text-primary"
    if conflict.busy == "merging":
        return "⇢ merging", "$text-primary"
    if all(file.decided for file in conflict.files):
        return "✓ decided", GOOD
    if conflict.proposal is None:
        return "no proposal", QUIET
    if lost(conflict):
        return "⊘ loses lines", CARE
    if gates_red(conflict):
        return "✗ gates red", BAD
    return ("✓ gates ok" if proposal_gates(conflict) else "» proposed"), GOOD


def who(conflict: ConflictView, by: str) -> str:
    """Who made the proposal for a file: the rung by name, or the agent."""
    if by == "agent":
        named = [part for part in (conflict.proposal or "").split(" and ") if part.startswith("agent ")]
        return named[0] if named else "the agent"
    if by == "git":
        return "git's own merge"
    return _NAMES.get(by, by) or conflict.proposal or "an earlier resolution"


def without_proposal(conflict: ConflictView) -> Iterator[tuple[str, str]]:
    """Why there is no proposal, and what to press: lines with their style."""
    if conflict.busy == "ladder":
        yield "The ladder is being tried: what was resolved before, and what can be made by rule. It comes here.", ""
        return
    if conflict.busy == "agent":
        yield "An agent is at it; what it makes of it comes here.", ""
    elif conflict.busy == "turn":
        yield "It waits for its turn to ask an agent. You can decide it yourself meanwhile.", ""
    elif not conflict.open:
        yield "No proposal was made for this.", ""
    elif conflict.tried:
        yield "No proposal for this: what was tried did not settle it.", ""
    else:
        yield "No proposal: nothing but git's own merge was tried.", ""
    if conflict.note and conflict.busy:
        yield f'You told it: "{conflict.note}"', QUIET
    for rung in conflict.tried:
        glyph, style = rung_look(rung.verdict)
        detail = f": {rung.detail}" if rung.detail else ""
        yield f"{glyph} {rung.name} {rung.verdict}{detail}", style
    if not conflict.busy and conflict.open:
        asked = any(rung.name == "agent" and rung.verdict != "not applicable" for rung in conflict.tried)
        yield ("n asks the agent again, with a note" if asked else "n asks the agent"), "$text-accent"


def parts(conflict: ConflictView, waits: Sequence[str]) -> Iterator[tuple[str, list[Content]]]:
    """All the evidence, as headings with lines."""
    yield "What was tried", [_rung_line(rung) for rung in conflict.tried] or [Content("nothing but git's own merge")]
    for path, lines in lost(conflict):
        yield f"What the proposal for {path} drops", [Content.styled(line, CARE) for line in lines]
    if conflict.proposal is not None and not lost(conflict):
        yield "What the proposal drops", [Content.styled("nothing: every line that either side added is in it", GOOD)]
    for gate in conflict.gates:
        look = gate_look(gate.verdict)
        about = Content.assemble((f"{look.glyph} {gate.verdict}", look.style), (f"  {duration(gate.seconds)}", QUIET))
        said = gate.output.rstrip("\n").split("\n")[-_LINES:] if gate.output else []
        yield f"Gate {gate_name(gate)} on the {gate.where}", [about, *(Content(line) for line in said)]
    for name, tasks in (("ours", conflict.ours_tasks), ("theirs", conflict.theirs_tasks)):
        yield f"Why {name} was changed", [Content(task) for task in tasks] or [Content("no tasks are on record")]
    if conflict.note:
        yield "What you told the agent", [Content(conflict.note)]
    if waits:
        yield "What waits behind it", [Content(", ".join(waits))]


def _rung_line(rung: RungView) -> Content:
    glyph, style = rung_look(rung.verdict)
    used = f" ({spent(rung)})" if spent(rung) else ""
    detail = f": {rung.detail}" if rung.detail else ""
    return Content.assemble((f"{glyph} {rung.verdict}", style), f"  {rung.name}", (used, QUIET), detail)


def doubts(conflict: ConflictView) -> str:
    """What speaks against merging what is decided and proposed; empty if nothing does."""
    choices = {spot: choice_at(conflict, spot) for spot in spots(conflict)}
    taken = {spot.path for spot, choice in choices.items() if choice == "proposal"}
    said = [
        f"The proposal for {path} drops {plural(len(lines), 'line')}: v shows them."
        for path, lines in lost(conflict)
        if path in taken
    ]
    if gates_against(conflict):
        said.append("Gates are red on the proposal. They run again before it is merged; red again, it comes back here.")
    return "\n\n".join(said)
