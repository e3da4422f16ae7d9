"""The three approaches of Hoffmann et al. on one table and on the same resampled runs, and how far they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from jaxscale.approaches.envelope import envelope, envelope_trends
from jaxscale.approaches.isoflop import Bias, best_params, isoflop, weighed
from jaxscale.approaches.lines import Trend, below_six, ensemble_trend, fit_trend, price_of
from jaxscale.approaches.profiles import TOLERANCE, Method, profiles_of, run_flops, tokens_of
from jaxscale.costs.training import SIX, Price
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.fitting import fit
from jaxscale.fitting.data_checks import findings_of_target
from jaxscale.intervals import Band, band
from jaxscale.refitting import check_clusters, resample, still_open
from jaxscale.resampling import SCHEMES, redraw
from jaxscale.results import Ensemble, Fit
from jaxscale.runs import Runs
from jaxscale.runs.naming import final_runs

FITTING = "compiling and fitting"
LINES = "lines through the replicates"
PROFILES = "profiles"

BAD_FLOPS = "flops = {flops!r}: budgets are positive, finite numbers of FLOP"
UNUSABLE = "the fit of 'chinchilla' is '{status}', not a minimum"


@dataclass(frozen=True)
class Approach:
    """What one approach says.

    point: the lines of the table.   ensemble: those of its replicates (R,), NaN where the approach found none.
    rows: how many of the table it rests on.   parts: the profiles, or the training curves, that these make up.
    findings: what to beware of.   bias: of IsoFLOP profiles, where it could be had.
    """

    name: str
    point: Trend
    ensemble: Trend
    rows: int
    parts: int | None
    findings: tuple[Finding, ...]
    bias: Bias | None = None

    @property
    def usable(self) -> int:
        """How many replicates have lines."""
        return int(np.sum(self.ensemble.is_known))


@dataclass(frozen=True)
class Difference:
    """One approach less another, over the replicates that both have: in the exponents, and as ratios at budgets.

    exponent, params, tokens: of the table.   The bands: of the replicates; params and tokens (b,) are ratios.
    """

    first: str
    second: str
    exponent: float
    exponent_band: Band
    params: np.ndarray
    params_band: Band
    tokens: np.ndarray
    tokens_band: Band


@dataclass(frozen=True)
class Agreement:
    """What all approaches say of one table, at budgets flops (b,), on the same R resampled tables.

    absent: approach → why it says nothing.   fit: of approach 3, None where there is none.   price: of the table, C =
    k N^u D, at which approaches 2 and 3 buy tokens.
    """

    flops: np.ndarray
    approaches: tuple[Approach, ...]
    absent: dict[str, str]
    fit: Fit | None
    ensemble: Ensemble | None
    scheme: str
    replicates: int
    seed: int
    rows: int
    source: str
    findings: tuple[Finding, ...]
    price: Price = SIX

    def differences(self, level: float = 0.95) -> tuple[Difference, ...]:
        """Return every pair of approaches, the later less the earlier."""
        return tuple(_difference(one, other, self.flops, level) for other, one in combinations(self.approaches, 2))


def agreement(
    runs: Runs,
    *,
    flops: Sequence[float] | np.ndarray | float,
    budget: str | None = None,
    tolerance: float = TOLERANCE,
    method: Method = "parabola",
    final: bool = False,
    replicates: int = 400,
    seed: int = 0,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Agreement:
    """Return what the three approaches say of N* and D* at budgets flops (b,), with the same resampled runs under all.

    A table with groups is resampled by group, each the training curve of one run, of which five are needed; without
    groups by row, and approach 1 is absent.   budget, tolerance, method: of approach 2, as in `isoflop`.   final:
    approaches 2 and 3 see the last row of each run alone, that of `read_runs(final=True)`.   Approach 3 is `chinchilla`
    with Huber(1e-3) of ln loss.   on_stage, on_done: as in `js.bootstrap`.   An approach that fails is omitted and its
    reason recorded; RunsError is raised where none can, and for fewer than five groups.   Raises UsageError for invalid
    arguments.
    """
    at = np.atleast_1d(np.asarray(flops, dtype=np.float64))
    if at.ndim != 1 or not at.size or not (np.isfinite(at) & (at > 0)).all():
        raise UsageError(BAD_FLOPS.format(flops=flops))
    run_flops(runs)
    scheme = SCHEMES.resolve("pairs" if runs.group is None else "cluster")
    check_clusters(runs, scheme, has_own=False)
    ends = _ends(runs) if final else np.ones(len(runs))
    seen = replace(runs, weight=runs.weight * ends)
    weight = redraw(scheme, seed, np.arange(replicates), weighed(runs).weight, runs.group).weight
    found: list[Approach] = []
    absent: dict[str, str] = {}
    fitted, ensemble, price = None, None, price_of(seen, budget)
    try:
        on_stage(FITTING, None)
        fitted = fit(seen, "chinchilla", device=device)
        if not fitted.is_usable:
            raise RunsError(UNUSABLE.format(status=fitted.status))
        ensemble = resample(
            fitted, scheme=scheme, replicates=replicates, seed=seed, device=device, on_stage=on_stage, on_done=on_done
        )
        on_stage(LINES, None)
        findings = still_open((*fitted.findings, *ensemble.findings), scheme)
        used, trend = int(np.sum(seen.weight > 0)), fit_trend(fitted, price)
        findings = (*findings, *below_six(price, trend, at))
        found.append(Approach("parametric", trend, ensemble_trend(ensemble, price), used, None, findings))
    except RunsError as error:
        absent["parametric"] = str(error)
    on_stage(PROFILES, None)
    try:
        surface = None if fitted is None or not fitted.is_usable else fitted.coefs
        profiles = isoflop(seen, budget=budget, tolerance=tolerance, method=method, surface=surface)
        trends = isoflop_trends(seen, weight * ends, budget=budget, tolerance=tolerance, method=method)
        used, parts = int(profiles.runs.sum()), len(profiles.runs)
        found.insert(0, Approach("isoflop", profiles.trend, trends, used, parts, profiles.findings, profiles.bias))
    except RunsError as error:
        absent["isoflop"] = str(error)
    try:
        first = envelope(runs)
        with_ensemble, used = envelope_trends(runs, weight), int(np.sum(runs.weight > 0))
        found.insert(0, Approach("envelope", first.trend, with_ensemble, used, first.curves, first.findings))
    except RunsError as error:
        absent["envelope"] = str(error)
    if not found:
        raise RunsError("; ".join(absent.values()))
    return Agreement(
        at, tuple(found), absent, fitted, ensemble, scheme.name, replicates, seed, len(runs), runs.origin.source,
        (*still_open(runs.check(), scheme), *(() if fitted is None else findings_of_target(fitted))), price,
    )  # fmt: skip


def isoflop_trends(runs: Runs, weight: np.ndarray, *, budget: str | None, tolerance: float, method: Method) -> Trend:
    """Return the lines of R resampled tables, weight (R, n); the budgets are those of the table itself."""
    profiles = profiles_of(runs, budget=budget, tolerance=tolerance)
    flops = np.array([profile.flops for profile in profiles])
    params, _ = best_params(runs, profiles, weight, method)
    return Trend.through(flops, params, tokens_of(runs, profiles, params, price_of(runs, budget)))


def _ends(runs: Runs) -> np.ndarray:
    """Return 1 for the last row of each run, 0 for the others (n,); raise RunsError where nothing names runs."""
    return np.isin(runs.row, final_runs(runs).row).astype(np.float64)


def _difference(one: Approach, other: Approach, flops: np.ndarray, level: float) -> Difference:
    params, tokens = (_ratio(one, other, name, flops) for name in ("params", "tokens"))
    both = one.ensemble.params.exponent - other.ensemble.params.exponent
    exponent = float(one.point.params.exponent - other.point.params.exponent)
    return Difference(
        one.name, other.name, exponent, band(both, level=level),
        params[0], band(params[1], level=level), tokens[0], band(tokens[1], level=level),
    )  # fmt: skip


def _ratio(one: Approach, other: Approach, name: str, flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ratio of what two approaches say at budgets, of the table (b,) and of its replicates (R, b)."""
    ours, theirs = getattr(one.point, name).at(flops), getattr(other.point, name).at(flops)
    with np.errstate(divide="ignore", invalid="ignore"):
        ensemble = getattr(one.ensemble, name).at(flops) / getattr(other.ensemble, name).at(flops)
    return ours / theirs, np.where(np.isfinite(ensemble), ensemble, np.nan)
