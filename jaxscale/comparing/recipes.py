"""Recipes on one table: which loses less at a budget, what that is worth in compute, and whose exponents differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation import frontier
from jaxscale.allocation.budgets import checked_budgets
from jaxscale.allocation.frontier import check_frontier
from jaxscale.allocation.inputs import fixed_values, measured_flops
from jaxscale.comparing.contrasts import contrasts_of
from jaxscale.comparing.equal_loss import REACH, compute_at, grid_of
from jaxscale.comparing.pairing import BY_RECIPE, TOGETHER, by_design, pairing_of, stacked
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting import fit as fit_to
from jaxscale.fitting import group_of
from jaxscale.intervals import Sample, band
from jaxscale.intervals.band import check_level
from jaxscale.laws import LAWS, Law
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.refitting.bootstrap import resample
from jaxscale.registry import unknown
from jaxscale.resampling import Scheme
from jaxscale.resampling.drawing import check_seed
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.results.kinds import check_runs
from jaxscale.results.recipes import RecipeComparison, RecipePair
from jaxscale.runs import Runs
from jaxscale.stages import Stages

FLOOR = "E"
"""The coef that is the floor, in every law that has one by that name."""
FACTORS = (1.0, 10.0, 100.0)
"""Of the largest measured compute: budgets where none are asked for."""
NO_RECIPES = "{source}: recipes are the groups of a table, and it has none; read it with group='COLUMN' (--by COLUMN)"
ONE_RECIPE = "{source}: all runs are of the recipe {name}; two are needed"
NO_FLOOR = "law '{law}' has no coef E, so that its floor can be neither shared nor held: floor='free'"
BAD_FLOOR = "floor = {floor!r}: free, shared, or the number at which it is held"
NO_BUDGETS = "the table has no compute under '{law}': give budgets"
STAGE = "fitting {law} to {recipe}"
NO_MINIMUM = "the fit of law '{law}' to {recipe} is '{status}', not a minimum: {recipe} cannot be compared under it"
NO_FIT = "{recipe}: {why}"


def compare_recipes(
    runs: Runs,
    law: Law | str = "chinchilla",
    *,
    floor: str | float = "free",
    base: str | None = None,
    budgets: ArrayLike | None = None,
    objective: Objective | str = "huber",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    at: Mapping[str, float] | None = None,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> RecipeComparison:
    """Fit one law to the runs of each recipe, and compare what they reach with equal compute.

    Where all recipes have the same design points, a replicate draws a point for all of them at once, so that what the
    design does to the fits cancels in their difference; else the runs of each are drawn by themselves.

    Parameters
    ----------
    runs
        The table; its groups are the recipes (`js.read_runs(…, group="recipe")`). Runs without a finite loss or a
        weight have no part in it.
    law
        A law, or its name, that splits a budget or takes it.
    floor
        `free`, a floor E of each recipe by a fit of its own; `shared`, one E of a joint fit; or the value of E.
    base
        The recipe beside which the others stand; the first by name.
    budgets
        (b,) FLOP; 1, 10 and 100 times the largest measured compute.
    objective
        As in `js.fit`.
    replicates, seed
        As in `js.bootstrap`; two at least.
    level
        Of the bands, which are percentile intervals.
    at
        The law's inputs that no budget decides, name → value.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        As in `js.bootstrap`.

    Returns
    -------
    RecipeComparison
        One pair of the base and each other recipe.

    Raises
    ------
    UsageError
        For a law without a frontier, an unknown base or another floor, and impossible values.
    RunsError
        For a table without two recipes or too few runs of one.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> names = np.tile(["old", "new"], 15)
    >>> flops = np.repeat(np.geomspace(1e17, 1e20, 15), 2)
    >>> coefs = {"C_c": 1e20, "alpha_C": 0.05}
    >>> table = js.simulate("kaplan-flops", coefs, columns={"flops": flops}, noise=0.01, seed=1)
    >>> both = js.Runs.from_arrays(loss=table.loss, flops=flops, group=names)
    >>> found = js.compare_recipes(both, "kaplan-flops", replicates=64, budgets=[1e20])
    >>> pair = found.pairs[0]
    >>> found.is_paired, bool(pair.multiplier_band.lower[0] < 1.0 < pair.multiplier_band.upper[0])
    (True, True)
    """
    law, objective = LAWS.resolve(law), OBJECTIVES.resolve(objective)
    check_level(level)
    check_seed(seed)
    check_frontier(law, dict(at or {}))
    fixed = fixed_values(law, at)
    parts = _parts(runs, law)
    base = _base(parts, base)
    is_paired, pairing = pairing_of(parts, law.inputs)
    asked = RecipeFits(runs, law, objective, floor, replicates, seed, device, Stages(on_stage, on_done), is_paired)
    measured = [found[1] for found in (measured_flops(law, part) for part in parts.values()) if found is not None]
    if budgets is None and not measured:
        raise UsageError(NO_BUDGETS.format(law=law.name))
    chosen = checked_budgets([factor * max(measured) for factor in FACTORS] if budgets is None else np.asarray(budgets))
    ensembles, joint = asked.ensembles(parts)
    fronts = {name: frontier(one, flops=chosen, fixed=fixed) for name, one in ensembles.items()}
    curves = {name: _losses(one, grid_of(chosen), fixed) for name, one in ensembles.items()}
    losses = {name: _both(front) for name, front in fronts.items()}
    pairs = tuple(
        _pair((base, other), ensembles, losses, curves, chosen, joint, level) for other in parts if other != base
    )
    left_out = len(runs) - sum(len(part) for part in parts.values())
    return RecipeComparison(
        runs, ensembles, fronts, floor, base, pairs, chosen, is_paired, pairing, left_out, level, replicates, seed
    )


@dataclass(frozen=True)
class RecipeFits:
    """What is common to the fits of all recipes."""

    runs: Runs
    law: Law
    objective: Objective
    floor: str | float
    replicates: int
    seed: int
    device: str
    told: Stages
    is_paired: bool

    def __post_init__(self) -> None:
        is_number = isinstance(self.floor, int | float | np.number) and not isinstance(self.floor, bool)
        if not is_number and self.floor not in ("free", "shared"):
            raise UsageError(BAD_FLOOR.format(floor=self.floor))
        if self.floor != "free" and FLOOR not in self.law.names:
            raise UsageError(NO_FLOOR.format(law=self.law.name))

    def ensembles(self, parts: Mapping[str, Runs]) -> tuple[dict[str, Ensemble], Fit | None]:
        """Return the fit and the replicates of every recipe, and the joint fit if there is one.

        Replicate r of all is one draw.
        """
        if self.floor == "shared":
            own = [name for name in self.law.names if name != FLOOR]
            both, names = stacked(parts, self.runs), ", ".join(parts)
            scheme = TOGETHER if self.is_paired else BY_RECIPE
            joint, drawn = self._drawn(names, both, scheme, self.seed, per_group=own)
            return {name: group_of(drawn, name) for name in parts}, joint
        found = {}
        fix = None if isinstance(self.floor, str) else {FLOOR: float(self.floor)}
        for place, (name, part) in enumerate(parts.items()):
            # one seed draws the same places of tables of one length, and these are sorted by their design
            seed = self.seed if self.is_paired else (self.seed + place) % 2**32
            _, found[name] = self._drawn(name, part, "pairs", seed, fix=fix)
        return found, None

    def _drawn(
        self,
        name: str,
        runs: Runs,
        scheme: Scheme | str,
        seed: int,
        *,
        fix: Mapping[str, float] | None = None,
        per_group: Sequence[str] = (),
    ) -> tuple[Fit, Ensemble]:
        """Return the fit to a recipe, or to several by their names, and its replicates; RunsError names it."""
        heading = STAGE.format(recipe=name, law=self.law.name)
        self.told.begin(heading)
        told = self.told.within(heading)
        try:
            own = fit_to(runs, self.law, objective=self.objective, fix=fix, per_group=per_group, device=self.device)
        except RunsError as error:
            raise RunsError(NO_FIT.format(recipe=name, why=error)) from error
        if not own.is_usable:
            raise RunsError(NO_MINIMUM.format(law=self.law.name, recipe=name, status=own.status))
        drawn = resample(
            own, scheme=scheme, replicates=self.replicates, seed=seed, device=self.device, on_stage=told.begin,
            on_done=told.done,
        )  # fmt: skip
        return own, drawn


def _parts(runs: Runs, law: Law) -> dict[str, Runs]:
    """Return the runs of every recipe that count, by name, in the order of the law's inputs."""
    check_runs("compare_recipes", runs)
    if runs.group is None:
        raise RunsError(NO_RECIPES.format(source=runs.origin.source))
    group = runs.group.astype(str)
    counts = np.isfinite(runs.loss) & (runs.weight > 0)
    names = np.unique(group[counts]).tolist()
    if len(names) < 2:
        raise RunsError(ONE_RECIPE.format(source=runs.origin.source, name=", ".join(names)))
    return {
        name: by_design(runs.take(np.flatnonzero(counts & (group == name)), "of another recipe"), law.inputs)
        for name in names
    }


def _base(parts: Mapping[str, Runs], base: str | None) -> str:
    if base is not None and base not in parts:
        raise UsageError(unknown("recipe", base, tuple(parts)))
    return next(iter(parts)) if base is None else base


def _losses(ensemble: Ensemble, flops: np.ndarray, fixed: Mapping[str, float]) -> np.ndarray:
    """Return the least losses (1 + R, g), those of the point fit first."""
    return _both(frontier(ensemble, flops=flops, fixed=fixed))


def _both(front: Frontier) -> np.ndarray:
    return np.concatenate([front.point.loss[None], front.loss])


def _pair(
    names: tuple[str, str],
    ensembles: Mapping[str, Ensemble],
    losses: Mapping[str, np.ndarray],
    curves: Mapping[str, np.ndarray],
    budgets: np.ndarray,
    joint: Fit | None,
    level: float,
) -> RecipePair:
    """Return the second recipe beside the first, the base.   losses, curves: (1 + R, …) at the budgets and the grid."""
    base, other = names
    apart = losses[other] - losses[base]
    ratio = compute_at(grid_of(budgets), curves[other], losses[base]) - np.log(budgets)
    factor = np.exp(np.where(np.abs(ratio) > np.log(REACH), np.copysign(np.inf, ratio), ratio))
    known = ~np.isnan(apart[1:])
    with np.errstate(invalid="ignore"):
        share = np.sum(apart[1:] < 0, axis=0) / np.maximum(known.sum(axis=0), 1)
    return RecipePair(
        base,
        other,
        apart[0],
        band(Sample(apart[1:], apart[0]), level=level),
        np.where(known.any(axis=0), share, np.nan),
        factor[0],
        band(Sample(factor[1:], factor[0], line="positive"), level=level),
        contrasts_of(ensembles[base], ensembles[other], joint, names, level),
    )
