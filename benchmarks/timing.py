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

    compile_seconds: the first call less a warm one, None where nothing is compiled or it was compiled already.
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
    study: Study,
    contest: Sequence[tuple[Rival, int]],
    *,
    repeats: int,
    cold_seconds: float,
    tell: Callable[[str], None],
) -> list[Measurement]:
    """Measure each (contestant, replicates) of the contest, `repeats` times in turn, so that drift meets all alike.

    cold_seconds: what jaxscale's first call on all tables took; its compile time is read off that.
    tell: is given one line per call, for a person who waits.
    """
    compiled = []
    for rival, replicates in contest:
        tell(f"{rival.name}: first call")
        compiled.append(_rehearse(rival, study.first(replicates)))
    rounds = []
    for repeat in range(repeats):
        runs = []
        for rival, replicates in contest:
            tell(f"{rival.name}: {replicates} replicates, run {repeat + 1} of {repeats}")
            runs.append(_timed(rival, study.first(replicates)))
        rounds.append(runs)
    measurements = []
    for (rival, replicates), rehearsed, turns in zip(contest, compiled, zip(*rounds, strict=True), strict=True):
        seconds = tuple(elapsed for _, elapsed in turns)
        drew_the_tables = rival.kind == "own" and replicates == study.replicates
        compile_seconds = max(cold_seconds - statistics.median(seconds), 0.0) if drew_the_tables else rehearsed
        measurements.append(Measurement(rival, replicates, compile_seconds, seconds, turns[-1][0]))
    return measurements


def _rehearse(rival: Rival, study: Study) -> float | None:
    """Call a contestant until the next call is warm; return the compile seconds of a batched one."""
    if rival.kind == "own":
        rival.solve(study)
        return None
    if rival.kind == "serial":
        rival.solve(study.first(1))
        return None
    batch = study.first(study.lanes)
    _, cold = _timed(rival, batch)
    _, warm = _timed(rival, batch)
    return max(cold - warm, 0.0)


def _timed(rival: Rival, study: Study) -> tuple[Outcome, float]:
    """Return what the contestant found, and its wall seconds; every outcome is NumPy, hence finished."""
    started = time.perf_counter()
    outcome = rival.solve(study)
    return outcome, time.perf_counter() - started
