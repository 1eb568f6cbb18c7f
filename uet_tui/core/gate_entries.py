"""What gates said, put on record."""

from uet_tui.core import verdicts, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.records import GateEntry


def keep_gates(board: Board, gates: tuple[GateEntry, ...]) -> None:
    """Puts on record what gates said."""
    board.changes.gates.extend(gates)
    for gate in gates:
        board.tell(
            vocabulary.GATE_RESULT,
            f"{gate.workstream} {gate.gate} {gate.verdict} ({gate.where}, {gate.seconds:.1f} s)",
            severity=verdicts.SEVERITY.get(gate.verdict, "warning"),
            workstream=gate.workstream,
            attempt=gate.attempt,
            gate=gate.gate,
            verdict=gate.verdict,
            where=gate.where,
        )
