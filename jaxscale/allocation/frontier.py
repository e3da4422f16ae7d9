"""The efficient frontier of a fit, of an ensemble, or of published coefs: the best split of every budget."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import jax
import numpy as np

from jaxscale import precision
from jaxscale.allocation.allocate import Allocation, optima
from jaxscale.allocation.budgets import budgets_for
from jaxscale.allocation.findings import check_plannable, frontier_findings, replicate_findings
from jaxscale.allocation.inputs import (
    all_sizes,
    can_allocate,
    check_fixed,
    check_groups,
    fixed_values,
    given_law,
    measured_flops,
)
from jaxscale.costs.training import fixed_inputs
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock, Program, prefetched, run
from jaxscale.engine.data import chunks, fill
from jaxscale.errors import UsageError
from jaxscale.intervals import Sample
from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.laws.grouped import grouping_of
from jaxscale.results import QUANTITIES, Ensemble, Fit, Frontier, Study
from jaxscale.results.kinds import drawn_from
from jaxscale.results.samples import Sets, sample_from, sets_of
from jaxscale.stages import Stages

Tree = TypeVar("Tree")

SEVERAL = 2
"""Coefs without a value of their own from which they are one constant, or run off together: then the law says nothing
about sizes besides those of the runs."""
LEAST = 2.0
"""Params or tokens of an optimum that is none: an exponent at infinity puts it just beyond one."""
CHUNK = 1024
"""Sets of coefs per program call: a second or less, so that Ctrl-C answers."""

NO_FRONTIER = "law '{name}' takes {inputs}: it says nothing about how to split a budget"
NO_LOSS = "law '{name}' gives {target}, which is no loss: there is nothing that a budget makes least"


def frontier(
    source: Study | Fit | Ensemble | None = None,
    *,
    flops: float | Sequence[float] | np.ndarray | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    fixed: Mapping[str, float] | None = None,
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Frontier:
    """Return the optimum of a law on C = 6 N D, or on the law's own price, for every budget.

    Where the law promises less loss still at one param or one token, it is the best one inside, and a finding says so.

    Parameters
    ----------
    source
        A Study, of which its replicates are taken where these are usable, else its fit; a Fit, an Ensemble, or None
        with law= and coefs=.
    flops
        Budgets (b,) or a scalar, FLOP. None for those of a study, and for 1, 3, 10, 30 and 100 times the largest
        compute in the table.
    law, coefs
        In place of a source: a law, and its coefs, name → number, or the name of a published set.
    fixed
        The law's inputs that a budget does not decide, name → number; None for those of a study, else none.
    on_stage, on_done
        As in `js.bootstrap`: told of profiles, which are followed where the ensemble has those of its coefs.

    Returns
    -------
    Frontier
        Its arrays are (b,) for one set of coefs and (R, b) for an Ensemble; NaN for unusable replicates and where no
        interior optimum exists.

    Raises
    ------
    UsageError
        For a budget that is not positive, a law that neither splits a budget nor knows it, an input that is not fixed,
        or an ensemble of a jackknife, whose replicates are no draws.
    RunsError
        For a table whose numbers are not what they are taken for (`units-suspect`, `target-suspect`), unless it was
        read with `units_ok`.

    Examples
    --------
    >>> best = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=[1e20, 1e22])
    >>> best.tokens_per_param.round(1)
    array([22.9, 20.4])
    """
    study = source if isinstance(source, Study) else None
    source = drawn_from(source)
    fit = source.fit if isinstance(source, Ensemble) else source
    law, coefs = given_law(fit, law, coefs, verb="frontier", kinds="a Study, a Fit, an Ensemble")
    budgets, fixed = budgets_for(flops, study, fit), study.at if fixed is None and study is not None else fixed
    if fit is not None:
        check_plannable(fit)
    _finding(law)
    fixed = fixed_values(law, fixed)
    if isinstance(source, Ensemble):  # with its replicates, since the point alone would need a program of its own
        sets = sets_of(source)
    else:
        sets = Sets(law.vector(coefs)[None], np.array([0 if fit is None else len(fit.unidentified)]))
    found = optima_of_sets(law, sets, budgets, fixed)
    params, tokens, loss, is_lowest = found[:, 0].copy()  # nothing keeps the ensemble's arrays in memory
    measured = None if fit is None else measured_flops(law, fit.runs)
    findings = frontier_findings(law, budgets, params, is_lowest, measured)
    point = Frontier(law, dict(coefs), budgets, params, tokens, loss, None, measured, findings, fixed)
    if not isinstance(source, Ensemble):
        return point
    every = dict(zip(QUANTITIES, (*found[:3], found[1] / found[0]), strict=True))
    samples = {name: sample_from(source, one) for name, one in every.items()}
    params, tokens, loss = (samples[name].values for name in QUANTITIES[:3])
    findings = (*findings, *replicate_findings(source, params, found[3, 1 : 1 + len(source)]))
    jackknife, ranks, std, point_std = (_known(samples, one) for one in ("jackknife", "ranks", "std", "point_std"))
    made = replace(point, params=params, tokens=tokens, loss=loss, findings=findings, at_point=point)
    made = replace(
        made, jackknife=jackknife, ranks=ranks, std=std, point_std=point_std, dof=float(source.fit.dof),
        robust_std=_known(samples, "robust_std"), robust_dof=float(samples["loss"].robust_dof),
    )  # fmt: skip
    if source.profile is None:
        return made
    from jaxscale.allocation.profiles import profiles_of_frontier  # whose fits import predictions, and these this one

    known = profiles_of_frontier(
        source.fit,
        point,
        lambda coefs, budgets: optima_of(law, coefs, budgets, fixed),
        params * tokens,
        Stages(on_stage, on_done),
    )
    return replace(made, **known._asdict())


def _known(samples: Mapping[str, Sample], part: str) -> dict[str, np.ndarray]:
    """Return a part of the samples of every quantity; nothing where they have none."""
    parts = {name: getattr(one, part) for name, one in samples.items()}
    return {name: np.asarray(one) for name, one in parts.items() if one is not None}


@contextmanager
def prefetched_frontier(law: Law | str, *, budgets: int, replicates: int = 0) -> Iterator[None]:
    """Have the program of a frontier compiled inside this scope, while another one is; its end waits for that.

    budgets: how many `flops` there will be.   replicates: of the Ensemble; 0 for a Fit, or for coefs.   For who knows
    before a fit that its frontier will be asked for: nothing else changes. For a law without a frontier there is none.
    """
    law = LAWS.resolve(law)
    if not has_frontier(law):
        yield
        return
    sets = np.zeros((_width(1 + replicates), len(law.coefs)))
    argument = (sets, np.zeros(budgets), np.zeros(len(fixed_inputs(law))))
    with prefetched(Program.of(_finding(law), (law,), argument)):
        yield


def over_optimum(law: Law, coefs: Mapping[str, float], columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return the loss (n,) of runs beyond the least one that their own compute allows, at the law's own price.

    columns: the law's inputs (n,).   None for a law that splits no budget, or that takes more than sizes.
    """
    if not can_allocate(law) or fixed_inputs(law) or grouping_of(law) is not None:
        return None
    flops = np.broadcast_to(all_sizes(law, columns)["flops"], np.shape(next(iter(columns.values()))))
    if not np.isfinite(flops).all() or not (flops > 0).all():
        return None
    budgets, place = np.unique(flops, return_inverse=True)
    least = frontier(law=law, coefs=coefs, flops=budgets).loss[place]
    return np.asarray(predict_with(law, coefs, columns) - least)


def check_frontier(law: Law, fixed: Mapping[str, float]) -> None:
    """Raise UsageError for a law without a frontier, and for missing, unknown or superfluous fixed inputs."""
    _finding(law)
    check_fixed(law, fixed)


def optima_of(law: Law, coefs: np.ndarray, budgets: np.ndarray, fixed: Mapping[str, float]) -> np.ndarray:
    """Return params, tokens, loss and `is_lowest` (4, R, b) for coefs (R, p); NaN without an interior optimum."""
    found = in_chunks(_finding(law), law, (coefs,), budgets, np.array(list(fixed.values()), dtype=np.float64))
    if isinstance(found, Allocation):
        is_run = (found.params > LEAST) & (found.tokens > LEAST)
        three = np.where(found.is_interior & is_run, np.stack([found.params, found.tokens, found.loss]), np.nan)
        return np.concatenate([three, np.asarray(found.is_lowest, dtype=np.float64)[None]])
    absent = np.full(found.shape, np.nan)
    return np.stack([absent, absent, found, np.ones(found.shape)])


def optima_of_sets(law: Law, sets: Sets, budgets: np.ndarray, fixed: Mapping[str, float]) -> np.ndarray:
    """Return what `optima_of` does, NaN too for sets of which several coefs have no value of their own."""
    found = optima_of(law, sets.coefs, budgets, fixed)
    if can_allocate(law):
        found[:3, sets.without >= SEVERAL] = np.nan
    return found


def in_chunks(function: Callable[..., Tree], of: Hashable, rows: tuple[np.ndarray, ...], *shared: object) -> Tree:
    """Return function(of, (*rows, *shared)), with NumPy arrays, of CHUNK rows (R, …) at most per program call.

    of: what the program is made for, a law or what stands on one.   shared: pytrees of NumPy's numbers.
    """
    total, width, clock = len(rows[0]), _width(len(rows[0])), Clock()
    device = placement.current()

    def ask(part: slice) -> Tree:
        with precision.float64(), jax.default_device(device):  # both are thread-local
            found = run(clock, function, (of,), (*(fill(row[part], width) for row in rows), *shared))
        here: Tree = jax.tree.map(lambda one: np.asarray(one)[: part.stop - part.start], found)
        return here

    places = list(chunks(total, width))
    if len(places) == 1:
        return ask(places[0])
    with ThreadPoolExecutor(placement.threads()) as pool:
        parts = list(pool.map(ask, places))
    joined: Tree = jax.tree.map(lambda *one: np.concatenate(one), *parts)
    return joined


def _width(count: int) -> int:
    return min(CHUNK, count)


def has_frontier(law: Law) -> bool:
    """Return whether a law splits a budget, or at least knows it."""
    return can_allocate(law) or (law.target == "loss" and "flops" in law.inputs)


def _finding(law: Law) -> Callable[..., Allocation | jax.Array]:
    """Return what finds a law's frontier; raise UsageError for a law without one."""
    check_groups(law)
    if not has_frontier(law):
        why = NO_FRONTIER if law.target == "loss" else NO_LOSS
        told = why.format(name=law.name, inputs=", ".join(law.inputs), target=law.target)
        raise UsageError(f"{told} ({law.frontier.removeprefix('none: ')})" if law.frontier else told)
    return optima if can_allocate(law) else _losses


def _losses(law: Law, argument: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
    """Return the losses (R, b) of a law of flops alone, for coefs (R, p), budgets (b,) and fixed inputs (h,)."""
    sets, budgets, fixed = argument

    def one(coefs: jax.Array, flops: jax.Array) -> jax.Array:
        inputs = {"flops": flops, **dict(zip(fixed_inputs(law), fixed, strict=True))}
        return law.loss(*(inputs[name] for name in law.inputs), **dict(zip(law.names, coefs, strict=True)))

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(sets, budgets)
