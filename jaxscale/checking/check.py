"""The verb: which phase of scaling a table shows, and whether one may extrapolate from it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jaxscale.checking.evidence import SeriesEvidence
from jaxscale.checking.series import RawSeries, series_of
from jaxscale.digits import scientific, significant
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding, forbids_plan
from jaxscale.fitting.error_messages import findings_of_spread
from jaxscale.results.check import Check, LocalExponents, Phase, PhaseName, Series
from jaxscale.results.kinds import check_runs
from jaxscale.runs import Runs
from jaxscale.text import listed, shown

BAD_TOLERANCE = "tolerance = {tolerance!r}: a relative difference of losses lies between 0 and 1, as 0.05"
BAD_SEED = "seed = {seed!r}: a seed is an integer, 0 at least"
NO_SERIES = "{source}: a phase of scaling needs {least} runs of different {along}, and no series has so many: {counts}"
NOT_POSITIVE = "{source}: a loss that is not positive has no logarithm, and no exponent"
UNDETERMINED = "the loss does not fall by more than its noise, {noise:.1%}: exponent {low} … {high}"
FEW = "{count} runs of different {along}: fewer than {least}"
BEGUN = (
    "the loss has been flat up to {last} and has fallen since over {count} runs and a factor of {span}: too few to "
    "tell how it goes on"
)
LEVELLED = (
    "the local exponent has fallen to {low} … {high} at the upper end, from {most} at its steepest: more {along} buy "
    "next to nothing, and a law fitted to all of it says how, not where, that ends"
)
BROKEN = "the exponent changes at {x} {along} ({low} … {high}), and only {count} runs lie beyond: too few to go on from"
UNSURE = "power laws with and without a floor, equally good here, differ by more than {tolerance:.0%} at once beyond"
GO = "one exponent holds to the upper end{floor}{bend}; forms agree to {tolerance:.0%} up to {times} times the largest"
WITH_FLOOR = ", above a floor of {floor}"
AFTER = ", since it changed at {x}"
ADVICE = "a fit weights all runs alike unless each has its standard error (--map sigma=COLUMN)"
SUSPECT = "the numbers are not what they are taken for: see {code}"

LEAST = 6
"""Runs of different x from which a series is looked at."""
ENOUGH, SPAN = 6, math.log(4.0)
"""Runs, and ln of the range, over which the loss must have fallen before one goes on from it."""
FLAT, NOTHING = 0.25, 0.1
"""Of the steepest local exponent that is certain: a stretch is flat whose upper limit lies below the one, and whose
lower limit below the other."""
LEAST_REACH = 1.25
MOST = 200
"""Runs of a series that are looked at, evenly chosen along it."""
CODES: dict[PhaseName, str] = {
    "cold start": "cold-start",
    "plateau": "plateau",
    "undetermined": "phase-undetermined",
    "scaling": "not-extrapolated",
}


def check(runs: Runs, *, along: str | None = None, tolerance: float = 0.05, seed: int = 0) -> Check:
    """Return which phase of scaling a table shows: cold start, scaling or plateau; and how far one may go on.

    A series is what a group has, or the table: the lowest loss of each budget along compute where params and tokens
    vary, else all runs along the one input that does. No law of the package is fitted.

    Parameters
    ----------
    runs
        Final losses, not whole learning curves.
    along
        The column along which to look; None for the choice above.
    tolerance
        Relative difference of predicted losses up to which forms agree.
    seed
        Of the simulated tests.

    Returns
    -------
    Check
        For each series the phase at its upper end with the evidence: local exponents with limits, a power law against
        one with a floor, a test of a break; go or no-go with the reason, and the distance one may go.

    Raises
    ------
    UsageError
        For a tolerance or a seed that is none.
    RunsError
        Where no series has six runs of different x, no input varies, or a loss is not positive.

    Notes
    -----
    Chances are simulated under the simpler form with normal errors of one size. A stretch is flat where the upper limit
    of its exponent is below a quarter of the largest lower limit, and its lower limit below a tenth of that. The minima
    of an envelope are low by what noise allows, alike at all budgets of as many runs.

    References
    ----------
    The broken line with its likelihood limits: Hinkley 1971; the simulated test: Davies 1987, Dufour 2006.

    Examples
    --------
    >>> js.check(runs).series[0].phase
    'scaling'
    """
    check_runs("check", runs)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0.0 < tolerance < 1.0:
        raise UsageError(BAD_TOLERANCE.format(tolerance=tolerance))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UsageError(BAD_SEED.format(seed=seed))
    if not (runs.loss[runs.weight > 0] > 0).all():
        raise RunsError(NOT_POSITIVE.format(source=runs.origin.source))
    raw = series_of(runs, along)
    counts = [len(np.unique(one.x)) for one in raw]
    if max(counts) < LEAST:
        told = {"source": runs.origin.source, "least": LEAST, "along": raw[0].along, "counts": listed(counts)}
        raise RunsError(NO_SERIES.format(**told))
    noticed = runs.check(tuple(name for name in ("params", "tokens") if name in runs.columns))
    forbidding = forbids_plan(noticed)
    series = tuple(_series(one, tolerance, seed) for one in raw)
    if forbidding is not None:
        why = SUSPECT.format(code=forbidding.code)
        series = tuple(replace(one, is_go=False, reach=1.0, reason=why) for one in series)
    return Check(runs, series, float(tolerance), seed, (*noticed, *_findings(series)))


def _series(raw: RawSeries, tolerance: float, seed: int) -> Series:
    made = Series(raw.name, raw.along, raw.x, raw.loss, raw.rows, "undetermined", (), is_go=False, reach=1.0, reason="")
    count = len(np.unique(raw.x))
    if count < LEAST:
        return replace(made, reason=FEW.format(count=count, along=raw.along, least=LEAST))
    if len(raw.x) > MOST:
        kept = np.unique(np.linspace(0, len(raw.x) - 1, MOST).round().astype(int))
        made = replace(made, x=raw.x[kept], loss=raw.loss[kept], rows=raw.rows[kept])
    random = np.random.default_rng(seed)
    x, y = np.log(made.x), np.log(made.loss)
    found = SeriesEvidence(x, y, random)
    exponents = found.exponents()
    made = replace(made, noise=found.noise, exponents=exponents, offset=found.offset(), breakpoint=found.breakpoint())
    made = replace(made, spread=found.spread(raw.along))
    low, high = found.slope_limits()
    steepest = max(float(exponents.low.max(initial=-np.inf)), low)
    if steepest <= 0.0:
        limits = {"low": significant(low, 2), "high": significant(high, 2)}
        phases = (Phase("undetermined", float(made.x[0]), float(made.x[-1])),)
        return replace(made, phases=phases, reason=UNDETERMINED.format(noise=found.noise, **limits))
    return _judged(replace(made, phases=_phases(made, exponents, steepest)), found, steepest, tolerance, random)


def _phases(made: Series, exponents: LocalExponents, steepest: float) -> tuple[Phase, ...]:
    """Return the stretches of a series: flat windows at its lower end, at its upper end, and what lies between."""
    is_flat = (exponents.high < FLAT * steepest) & (exponents.low < NOTHING * steepest)
    first, last = float(made.x[0]), float(made.x[-1])
    leading = int(np.argmin(is_flat)) if not is_flat.all() else 0
    trailing = int(np.argmin(is_flat[::-1])) if not is_flat.all() else 0
    start = float(exponents.last[leading - 1]) if leading else first
    end = float(exponents.first[len(is_flat) - trailing]) if trailing else last
    bend = made.breakpoint
    if bend is not None and bend.is_found and leading and not trailing and bend.after > bend.before:
        start = bend.x
    if bend is not None and bend.is_found and trailing and not leading and bend.after < bend.before:
        end = bend.x
    found = [Phase("cold start", first, start)] if leading else []
    if end > start:
        found.append(Phase("scaling", start, end))
    return (*found, *((Phase("plateau", end, last),) if trailing else ()))


def _judged(
    made: Series, found: SeriesEvidence, steepest: float, tolerance: float, random: np.random.Generator
) -> Series:
    """Return the series with its phase at the upper end and the verdict."""
    exponents, bend, end = made.exponents, made.breakpoint, made.phases[-1]
    said = {"along": made.along, "tolerance": tolerance}
    if end.name == "plateau" and exponents is not None:
        limits = {"low": significant(float(exponents.low[-1]), 2), "high": significant(float(exponents.high[-1]), 2)}
        reason = LEVELLED.format(most=significant(float(exponents.exponent.max()), 2), **limits, **said)
        return replace(made, phase="plateau", reason=reason)
    begun = int(np.sum(made.x >= end.first))
    span = math.log(end.last / end.first)
    if made.phases[0].name == "cold start" and (begun < ENOUGH or span < SPAN):
        told = {"last": scientific(end.first), "count": begun, "span": significant(math.exp(span), 2)}
        return replace(made, phase="cold start", reason=BEGUN.format(**told))
    last, after = found, ""
    if bend is not None and bend.is_found:
        beyond = made.x >= bend.x
        places = len(np.unique(made.x[beyond]))
        told = {"x": scientific(bend.x), "low": scientific(bend.low), "high": scientific(bend.high), "count": places}
        if places < ENOUGH:
            return replace(made, phase="scaling", reason=BROKEN.format(**told, **said))
        last, after = SeriesEvidence(found.x[beyond], found.y[beyond], random), AFTER.format(x=scientific(bend.x))
    reach = last.reach(tolerance)
    if reach < LEAST_REACH:
        return replace(made, phase="scaling", reason=UNSURE.format(**said))
    offset = last.offset()
    floor = WITH_FLOOR.format(floor=significant(offset.floor, 3)) if offset.is_found and offset.floor > 0 else ""
    reason = GO.format(floor=floor, bend=after, times=significant(reach, 2), **said)
    return replace(made, phase="scaling", is_go=True, reach=reach, reason=reason)


def _findings(series: tuple[Series, ...]) -> list[Finding]:
    """Return one finding for each kind of verdict that forbids to go on, and one of noise that changes in size."""
    by_code: dict[str, list[str]] = {}
    for one in series:
        if not one.is_go:
            name = f"{shown(one.name)}: " if one.name else ""
            by_code.setdefault(CODES[one.phase], []).append(f"{name}{one.reason}")
        for finding in [] if one.spread is None else findings_of_spread([one.spread], ADVICE):
            by_code.setdefault(finding.code, []).append(
                f"{shown(one.name)}: {finding.message}" if one.name else finding.message
            )
    return [Finding(code, "; ".join(said)) for code, said in by_code.items()]
