"""`js.coverage`: studies simulated from a fit, each resampled, and how often each kind of interval held the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jaxscale.allocation.budgets import checked_budgets
from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import fixed_values, measured_flops
from jaxscale.covering.simulating import ensembles_of, simulate_studies
from jaxscale.covering.tallying import Sought, bands_of, held_by
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.intervals import INTERVALS, Interval
from jaxscale.intervals.band import check_level
from jaxscale.provenance import Provenance
from jaxscale.refitting.bootstrap import checked_nested, noise_for
from jaxscale.refitting.setup import check_clusters
from jaxscale.refitting.tables import seeds_from
from jaxscale.resampling import SCHEMES, Scheme, check_seed
from jaxscale.results import Coverage, Ensemble, Fit, Study
from jaxscale.results.kinds import fit_behind
from jaxscale.results.samples import check_drawn, parts_for
from jaxscale.stages import Stages

FACTORS = (1.0, 10.0, 100.0)
"""Budgets, in units of the largest measured compute."""
STUDIES_STAGE = "Simulating {count} studies"
SCHEME_STAGE = "Resampling them by {scheme}"
BAD_COUNT = "{name} = {value!r} is no whole number from {least} on"
NOT_COUNTED = (
    "the coverage of the interval '{interval}' is not counted: each of the studies would take hundreds of fits; where "
    "the law is nearly linear within its errors, that of 'delta' says as much"
)
NO_METHODS = "{name}: name at least one, as in {name}={example!r}"
FAILED = "the fit is '{status}', not a minimum: nothing can be simulated from it. Fit it first."


def coverage(
    fit: Study | Ensemble | Fit,
    *,
    schemes: Sequence[Scheme | str] | None = None,
    intervals: Sequence[Interval | str] = ("percentile", "basic", "normal"),
    noise: Scheme | str | None = None,
    flops: Sequence[float] | None = None,
    at: Mapping[str, float] | None = None,
    studies: int = 200,
    replicates: int = 199,
    level: float = 0.9,
    nested: tuple[int, int] = (100, 50),
    seed: int = 0,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Coverage:
    """Simulate studies from a fit on its own runs, resample each, and count how often intervals hold the truth.

    Parameters
    ----------
    fit
        The truth, or a Study or an Ensemble of it: studies have its runs, and losses that its coefs predict, with noise
        like its residuals.
    schemes
        How studies are resampled, as in `js.bootstrap`; without any by `cluster` where the runs have groups, else by
        `pairs`.
    intervals
        Names of `jaxscale.intervals.INTERVALS`, or Intervals, but for `profile`.
    noise
        The scheme that losses are simulated by, which draws from residuals; without one `parametric-cluster` where
        groups are resampled, else `residual`.
    flops
        Budgets (b,) of which the loss and the size are asked, and with two or more the exponent between the least and
        the largest; 1, 10 and 100 times the largest measured compute without any, none for [] or a law without a
        frontier.
    at
        The law's inputs that no budget decides, name → value.
    studies, replicates
        How many studies are simulated, and how often each is resampled.
    level
        What the intervals claim.
    nested
        For `calibrated`: how many tables are simulated from each study, and how often each of them is resampled.
    seed
        An integer from 0 to 4294967295.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        As in `js.bootstrap`.

    Returns
    -------
    Coverage
        A share for each method, quantity and budget, with its binomial error.

    Raises
    ------
    UsageError
        For unknown names, numbers that are impossible, a noise that moves no losses, and a fit that is no minimum.
    RunsError
        For a scheme whose groups the runs do not have.

    Examples
    --------
    >>> found = js.coverage(fit, studies=40, replicates=39, intervals=["percentile"], flops=[])
    >>> all(0 <= one.share <= 1 for one in found.held)
    True
    """
    fit = fit_behind("coverage", fit)
    law, runs = fit.law, fit.runs
    if not fit.is_usable:
        raise UsageError(FAILED.format(status=fit.status))
    rules = INTERVALS.each(intervals)
    chosen = [SCHEMES.resolve(one) for one in _schemes(fit, schemes)]
    for name, given, example in (("schemes", chosen, ["pairs"]), ("intervals", rules, ["percentile"])):
        if not given:
            raise UsageError(NO_METHODS.format(name=name, example=example))
    for rule in rules:
        if "profile" in rule.needs:
            raise UsageError(NOT_COUNTED.format(interval=rule.name))
    for scheme in chosen:
        check_drawn(scheme)
        check_clusters(runs, scheme, has_own=False)
    check_level(level)
    check_seed(seed)
    nested = checked_nested(nested)
    for name, value in {"studies": studies, "replicates": replicates}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 2:
            raise UsageError(BAD_COUNT.format(name=name, value=value, least=2))
    simulated_by = SCHEMES.resolve(noise) if noise is not None else noise_for(chosen[0])
    budgets, fixed = _budgets(fit, flops), fixed_values(law, at)
    clock, wanted = Clock(), {part for rule in rules for part, needed in parts_for(rule).items() if needed}
    needs = {need for rule in rules for need in rule.needs} | {need for scheme in chosen for need in scheme.needs}
    if "std" not in needs:  # the standard errors of the point fits follow from these alone
        wanted.discard("covariance")
    has_errors = not needs.isdisjoint({"residuals", "point_std", "robust_std", "std", "ranks"})
    on_stage(STUDIES_STAGE.format(count=studies), None)
    made = simulate_studies(
        fit, simulated_by, studies, has_errors=has_errors, has_robust="robust_std" in needs, seed=seed, clock=clock,
        device=device,
    )  # fmt: skip
    held, unusable = [], {}
    asked = Sought.of(fit, budgets, fixed)
    for scheme, own_seed in zip(chosen, seeds_from(seed, len(chosen)), strict=True):
        told = Stages(on_stage, on_done).within(SCHEME_STAGE.format(scheme=scheme.name))
        ensembles = ensembles_of(
            made, scheme, replicates, wanted, nested=nested, seed=own_seed, clock=clock, device=device, told=told
        )
        found, unusable[scheme.name] = bands_of(ensembles, asked, rules, level)
        held += [one for rule in rules for one in held_by(found[rule.name], asked, scheme.name, rule.name)]
    with placement.on(device):
        provenance = Provenance.of(placement.current().platform, clock.compile, clock.run, clock.compiled)
    return Coverage(
        fit,
        simulated_by.name,
        level,
        studies,
        replicates,
        seed,
        tuple(held),
        made.failed,
        unusable,
        tuple(budgets),
        provenance,
    )


def _schemes(fit: Fit, schemes: Sequence[Scheme | str] | None) -> Sequence[Scheme | str]:
    if schemes is not None:
        return schemes
    return ("pairs",) if fit.runs.group is None else ("cluster",)


def _budgets(fit: Fit, flops: Sequence[float] | None) -> np.ndarray:
    """Return the budgets (b,), none for a law without a frontier."""
    if flops is not None and not len(flops):
        return np.empty(0)
    if not has_frontier(fit.law):
        return np.empty(0)
    if flops is not None:
        return checked_budgets(flops)
    measured = measured_flops(fit.law, fit.runs)
    return np.empty(0) if measured is None else measured[1] * np.array(FACTORS)
