"""How benchmarks measure and tell: medians of alternating rounds, each beside a named baseline of the same run."""

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What something took, beside its baseline; medians, in seconds."""

    what: str
    seconds: float
    against: str
    """What the baseline is."""
    baseline: float
    goal: float | None = None
    """Less than this is wanted, in seconds; None where there is no goal but to know."""
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times the baseline."""
        return self.seconds / self.baseline

    @property
    def met(self) -> bool:
        """Whether the goal, if any, is reached."""
        return self.goal is None or self.seconds < self.goal


def medians(rounds: int, measured: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds that each takes, once a round and in turn, so that what else the machine does disturbs all alike."""
    took: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, act in measured.items():
            gc.collect()
            begin = time.perf_counter()
            act()
            took[name].append(time.perf_counter() - begin)
    return {name: statistics.median(times) for name, times in took.items()}


def tell(title: str, figures: Sequence[Figure], *, as_json: bool) -> int:
    """Prints the figures, and gives the exit code: 1 if a goal is missed."""
    met = all(figure.met for figure in figures)
    if as_json:
        rows = [vars(figure) | {"ratio": figure.ratio, "met": figure.met} for figure in figures]
        print(json.dumps({"title": title, "figures": rows, "met": met}))
        return 0 if met else 1
    print(title)
    wide, beside = (
        max(len(text) for text in texts) for texts in zip(*((f.what, f.against) for f in figures), strict=True)
    )
    for f in figures:
        goal = "" if f.goal is None else f"   goal < {_time(f.goal).strip()}: {'met' if f.met else 'NOT met'}"
        print(
            f"  {f.what:{wide}} {_time(f.seconds)}   {f.against:{beside}} {_time(f.baseline)}   ratio {f.ratio:5.2f}"
            f"{goal}{'   ' + f.note if f.note else ''}"
        )
    return 0 if met else 1


def _time(seconds: float) -> str:
    return f"{seconds:8.2f} s " if seconds >= 0.1 else f"{seconds * 1e3:8.2f} ms"
