"""The clock: one process, the same tables, compiling apart from running, contestants taking turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.rivals.spec import Outcome, Rival, Study


@dataclass(frozen=True, eq=False)
class Measurement:
    """One contestant on its number of replicates.

    compile_seconds: by the contestant's own clock, or the first call less a warm one; None where nothing is compiled
    or it was compiled already.
    run_seconds: warm wall time of each repeat, over all replicates.   outcome: of the last repeat.
    """

    rival: Rival
    replicates: int
    compile_seconds: float | None
    run_seconds: tuple[float, ...]
    outcome: Outcome

    @property
    def milliseconds(self) -> tuple[float, float, float]:
        """Median, least and most milliseconds per replicate over the repeats."""
        each = [1e3 * seconds / self.replicates for seconds in self.run_seconds]
        return statistics.median(each), min(each), max(each)


def measure(
    study: Study, contest: Sequence[tuple[Rival, int]], *, repeats: int, tell: Callable[[str], None]
) -> list[Measurement]:
    """Measure each (contestant, replicates) of the contest, `repeats` times in turn, so that drift meets all alike.

    tell: is given one line per call, for a person who waits.
    """
    compiled: list[float | None] = []
    for place, (rival, replicates) in enumerate(contest):
        tell(f"{rival.name}: first call")
        seconds = rehearse(rival, study.first(replicates))
        compiled.append(None if rival in [before for before, _ in contest[:place]] else seconds)
    rounds = []
    for repeat in range(repeats):
        turns = []
        for rival, replicates in contest:
            tell(f"{rival.name}: {replicates} replicates, run {repeat + 1} of {repeats}")
            turns.append(timed(rival, study.first(replicates)))
        rounds.append(turns)
    return [
        Measurement(rival, replicates, seconds, tuple(elapsed for _, elapsed in turns), turns[-1][0])
        for (rival, replicates), seconds, turns in zip(contest, compiled, zip(*rounds, strict=True), strict=True)
    ]


def rehearse(rival: Rival, study: Study) -> float | None:
    """Call a contestant until the next call is warm; return its compile seconds, None where nothing is compiled."""
    if rival.kind in ("own", "native"):
        return rival.solve(study).compile_seconds
    if rival.kind == "serial":
        rival.solve(study.first(1))
        return None
    shape = study if rival.kind == "whole" else study.first(study.lanes)
    _, cold = timed(rival, shape)
    _, warm = timed(rival, shape)
    return max(cold - warm, 0.0)


def timed(rival: Rival, study: Study) -> tuple[Outcome, float]:
    """Return what the contestant found, and its wall seconds; every outcome is NumPy, hence finished."""
    started = time.perf_counter()
    outcome = rival.solve(study)
    return outcome, time.perf_counter() - started
