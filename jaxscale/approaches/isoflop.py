"""Approach 2: the lowest point of each IsoFLOP profile, the power laws through them, and the bias of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxscale import precision
from jaxscale.allocation import separable
from jaxscale.approaches.lines import PowerLaw, Trend, power_law, price_of
from jaxscale.approaches.profiles import (
    FOUND,
    REASONS,
    TOLERANCE,
    Method,
    Profile,
    cost_of,
    minima,
    profiles_of,
    tokens_of,
)
from jaxscale.costs.training import SIX, Price
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.laws import LAWS, predict_with
from jaxscale.objectives.spec import precision_of
from jaxscale.resampling import check_seed
from jaxscale.runs import Runs

FLOOR = 1.0 / 3.0
"""Least standard deviation of ln N* in mean steps between sizes.   Source: Porian et al. 2024, its code."""
HALF = 0.5
"""Share of the noisy profiles that must have a minimum for a budget to count."""
NOTABLE = 0.001
"""Bias in N* from which a finding says so."""

BAD_NOISE = "noise = {noise!r} is not a number of nats per token, zero or more"
BAD_COUNT = "replicates = {count!r} is not a positive integer"
TOO_FEW = "{source}: {count} of {total} budgets have a minimum between measured sizes, and a line needs 2; {reasons}"
LEFT_OUT = "{count} of {total} budgets left out: {reasons}"
BIASED = (
    "this method on these very sizes misses N_opt of the fitted surface by {least:+.2g} to {most:+.2g} %, without any "
    "noise (exponent {exponent:+.3f}): a profile is no parabola; narrow profiles, `cubic` and the fit miss less"
)


@dataclass(frozen=True)
class LeftOut:
    """A budget at which no optimum was read, with its number of runs and the reason."""

    flops: float
    runs: int
    reason: str


@dataclass(frozen=True)
class Bias:
    """How far a procedure misses the best size of a surface on the very runs of a table, freed of their noise.

    flops: (b,) the budgets.   params: (b,) N found over N_opt of the surface, less 1; NaN where nothing is found.
    law: the line through what is found.   exponent: its exponent less the surface's.   coefs: of the surface.
    price: of the table.
    """

    flops: np.ndarray
    params: np.ndarray
    law: PowerLaw
    exponent: float
    coefs: Mapping[str, float]
    price: Price = SIX

    def at(self, flops: np.ndarray) -> np.ndarray:
        """Return N of the line over N_opt of the surface, less 1, at budgets (b,) for the table's price."""
        with precision.float64():
            best = np.asarray(separable.optimum(self.coefs, flops, self.price).params)
        ratio: np.ndarray = self.law.at(flops) / best - 1.0
        return ratio


@dataclass(frozen=True)
class IsoFlop:
    """The best_params of the profiles that have one, and the lines through them.

    flops, params, tokens: (b,).   runs: (b,) how many a profile has.   std: (b,) standard deviation of ln params under
    noise, NaN without.   trend: the lines.   ensemble: the lines of profiles with noise added, None without.   bias:
    what the procedure would miss on a fitted surface, None without one.
    """

    method: Method
    noise: float
    flops: np.ndarray
    params: np.ndarray
    tokens: np.ndarray
    runs: np.ndarray
    std: np.ndarray
    left_out: tuple[LeftOut, ...]
    trend: Trend
    ensemble: Trend | None
    bias: Bias | None
    findings: tuple[Finding, ...]


def isoflop(
    runs: Runs,
    *,
    budget: str | None = None,
    tolerance: float = TOLERANCE,
    method: Method = "parabola",
    noise: float = 0.0,
    replicates: int = 400,
    seed: int = 0,
    surface: Mapping[str, float] | None = None,
) -> IsoFlop:
    """Return the optimum of every IsoFLOP profile, and N* and D* as powers of C through them.

    budget, tolerance: how runs are grouped, as in `profiles_of`.   method: `parabola` of loss in ln N through all runs
    of a budget, `local` through those within 6 % of its lowest loss, `cubic`, or `akima`, the interpolated ln loss.
    noise: standard deviation of loss, nats per token, that is added `replicates` times: N* is then the median of the
    minima, and a budget weighs 1/Var(ln N*), at least a third of a step between sizes.   surface: coefs of a fitted
    separable law, for the bias.   Raises UsageError for invalid arguments, RunsError where fewer than two
    budgets have a minimum.   Source: Hoffmann et al. 2022, §3.2; Porian et al. 2024 for noise and weights.
    """
    if not (isinstance(noise, int | float) and np.isfinite(noise) and noise >= 0):
        raise UsageError(BAD_NOISE.format(noise=noise))
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 1:
        raise UsageError(BAD_COUNT.format(count=replicates))
    check_seed(seed)
    runs = weighed(runs)
    profiles = profiles_of(runs, budget=budget, tolerance=tolerance)
    params, reason = best_params(runs, profiles, runs.weight[None], method)
    price, total = price_of(runs, budget), len(profiles)
    flops = np.array([profile.flops for profile in profiles])
    point, reasons, std, noisy, weight = params[0], reason[0], np.full(total, np.nan), None, None
    if noise > 0:
        noisy = _noisy(runs, profiles, method, noise, replicates, seed)
        with np.errstate(invalid="ignore", divide="ignore"):
            is_often = np.isfinite(noisy).mean(axis=0) >= HALF
        kept = np.isfinite(point) & is_often
        reasons = np.where(np.isfinite(point) & ~is_often, REASONS.index("minimum not between measured sizes"), reasons)
        point = np.full(total, np.nan)
        point[kept] = np.exp(np.nanmedian(np.log(noisy[:, kept]), axis=0))
        std[kept] = np.maximum(np.nanstd(np.log(noisy[:, kept]), axis=0), _floors(runs, profiles)[kept])
        weight = np.where(kept, 1.0 / std**2, 0.0)
        noisy = np.where(kept, noisy, np.nan)
    left = tuple(
        LeftOut(profile.flops, len(profile.rows), REASONS[number])
        for profile, number in zip(profiles, reasons, strict=True)
        if number != FOUND
    )
    kept = np.isfinite(point)
    if kept.sum() < 2:
        message = TOO_FEW.format(source=runs.origin.source, count=int(kept.sum()), total=total, reasons=_said(left))
        raise RunsError(message)
    tokens = tokens_of(runs, profiles, point, price)
    trend = Trend.through(flops, point, tokens, weight)
    ensemble = None if noisy is None else Trend.through(flops, noisy, tokens_of(runs, profiles, noisy, price), weight)
    used = [profile for profile, is_used in zip(profiles, kept, strict=True) if is_used]
    bias = None if surface is None else bias_of(runs, used, method, surface, price)
    counts = np.array([len(profile.rows) for profile in used])
    return IsoFlop(
        method, float(noise), flops[kept], point[kept], tokens[kept], counts, std[kept], left, trend, ensemble, bias,
        _findings(left, total, bias),
    )  # fmt: skip


def bias_of(
    runs: Runs, profiles: Sequence[Profile], method: Method, coefs: Mapping[str, float], price: Price = SIX
) -> Bias:
    """Return the bias of a method on the surface with these coefs (E, A, B, alpha and, unless tied, beta).

    N_opt is that of C = k N^u D with u of the table's price and k of each profile.
    """
    law = LAWS.resolve("chinchilla" if "beta" in coefs else "chinchilla-tied")
    params, tokens = runs.columns["params"], runs.columns["tokens"]
    loss = predict_with(law, coefs, {"params": params, "tokens": tokens})
    found, best, flops = [], [], np.array([profile.flops for profile in profiles])
    for profile in profiles:
        rows = profile.rows
        place, _ = minima(np.log(params[rows]), loss[None, rows], runs.weight[None, rows], method)
        found.append(float(np.exp(place[0])))
        with precision.float64():
            own = price._replace(k=cost_of(runs, profile, float(price.u)))
            best.append(float(separable.optimum(coefs, profile.flops, own).params))
    with precision.float64():
        exponent = float(separable.exponents(coefs, price).params)
    line = power_law(flops, np.array(found))
    ratio = np.array(found) / np.array(best) - 1.0
    return Bias(flops, ratio, line, float(line.exponent) - exponent, dict(coefs), price)


def weighed(runs: Runs) -> Runs:
    """Return the runs with their standard errors in their weights, w/sigma², as a parabola of the loss counts them."""
    return runs if runs.sigma is None else replace(runs, weight=runs.weight * precision_of(runs, "linear"), sigma=None)


def best_params(
    runs: Runs, profiles: Sequence[Profile], weight: np.ndarray, method: Method, loss: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best params (R, b) of every profile and replicate, NaN where there is none, and the reasons (R, b).

    weight: (R, n) or (1, n).   loss: (R, n) in place of the runs' own.
    """
    log_params, losses = np.log(runs.columns["params"]), runs.loss[None] if loss is None else loss
    found = [minima(log_params[p.rows], losses[:, p.rows], weight[:, p.rows], method) for p in profiles]
    place, reason = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    return np.exp(place), reason


def _noisy(
    runs: Runs, profiles: Sequence[Profile], method: Method, noise: float, replicates: int, seed: int
) -> np.ndarray:
    """Return the best params (R, b) of profiles whose losses have normal noise added."""
    drawn = noise * np.random.default_rng(seed).standard_normal((replicates, len(runs)))
    loss = np.maximum(runs.loss + drawn, 1e-300)
    return best_params(runs, profiles, runs.weight[None], method, loss)[0]


def _floors(runs: Runs, profiles: Sequence[Profile]) -> np.ndarray:
    logs = [np.unique(np.log(runs.columns["params"][profile.rows])) for profile in profiles]
    return np.array([FLOOR * (one[-1] - one[0]) / max(len(one) - 1, 1) for one in logs])


def _findings(left: tuple[LeftOut, ...], total: int, bias: Bias | None) -> tuple[Finding, ...]:
    found = []
    if left:
        found.append(Finding("budgets-left-out", LEFT_OUT.format(count=len(left), total=total, reasons=_said(left))))
    if bias is not None and np.nanmax(np.abs(bias.params), initial=0.0) >= NOTABLE:
        least, most = 100 * np.nanmin(bias.params), 100 * np.nanmax(bias.params)
        found.append(Finding("isoflop-bias", BIASED.format(least=least, most=most, exponent=bias.exponent)))
    return tuple(found)


def _said(left: tuple[LeftOut, ...]) -> str:
    return "; ".join(f"{one.flops:.3g} FLOP, {one.runs} runs: {one.reason}" for one in left)
