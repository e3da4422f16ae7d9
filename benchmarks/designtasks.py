"""The published tasks of choosing runs: candidates that are bought once each, and a target region of dear runs.

Data and forms: Li et al. 2026, "Spend less, fit better", arXiv 2604.22753. The cost of a candidate is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd

import jaxscale as js
from benchmarks.designsheets import LEVELS

ROUNDS = 2
"""How often the runs so far are fitted before the next are chosen, up to each level."""
FIRST = 0.2
"""Share of the first level that the cheapest runs may take, to begin with."""
FIRST_RUNS = 2.5
"""Cheapest runs at most, per coef of the law: what the published method begins with."""
REGION = 32
"""Runs of the target region that stand for it."""


def valley(lr, bsz, data_size, non_embedding_param_size, *, E, A, B, alpha, beta, c, m0, mn, md, mb, g, n0, nn, nd):
    """L = E + A N^-alpha + B D^-beta and two parabolas in ln lr and ln batch, whose vertices move with N and D."""
    rate, batch = jnp.log(lr / 1e-3), jnp.log(bsz / 256.0)
    data, size = jnp.log(data_size / 1e10), jnp.log(non_embedding_param_size / 2.5e8)
    valleys = c * (rate - m0 - mn * size - md * data - mb * batch) ** 2 + g * (batch - n0 - nn * size - nd * data) ** 2
    return E + A * jnp.exp(-alpha * size) + B * jnp.exp(-beta * data) + valleys


def surface(
    lr, bsz, data_size, non_embedding_param_size, *, E, c, r, b, d, n, rr, bb, dd, nn, rb, rd, rn, bd, bn, dn
):  # fmt: skip
    """L = E + exp(q) with q of second degree in ln lr, ln batch, ln D and ln N."""
    x, y = jnp.log(lr / 1e-3), jnp.log(bsz / 256.0)
    u, v = jnp.log(data_size / 1e10), jnp.log(non_embedding_param_size / 2.5e8)
    mixed = rb * x * y + rd * x * u + rn * x * v + bd * y * u + bn * y * v + dn * u * v
    return E + jnp.exp(c + r * x + b * y + d * u + n * v + rr * x**2 + bb * y**2 + dd * u**2 + nn * v**2 + mixed)


def experts(num_experts, dense_parameter_count, *, E, A, alpha, beta):
    """L = E + A N^-alpha X^-beta with X experts."""
    return E + A * (dense_parameter_count / 1e8) ** -alpha * num_experts**-beta


def experts_corrected(num_experts, dense_parameter_count, *, E, a, b, c, d, e):
    """L = E + exp(a + b ln X + c ln N + d ln X ln N) + e ln X with X experts."""
    count, size = jnp.log(num_experts), jnp.log(dense_parameter_count / 1e8)
    return E + jnp.exp(a + b * count + c * size + d * count * size) + e * count


def streams(num_params, parallel_size, *, E, A, k, alpha):
    """L = E + A (N (k ln P + 1))^-alpha with P streams."""
    return E + A * (num_params / 1e9 * (k * jnp.log(parallel_size) + 1.0)) ** -alpha


def streams_added(num_params, parallel_size, *, E, A, alpha, c, beta):
    """L = E + A N^-alpha + c P^-beta with P streams."""
    return E + A * (num_params / 1e9) ** -alpha + c * parallel_size**-beta


def mixed_data(unique_tokens, params, tokens, *, E, A, B, alpha, beta, gamma):
    """L = E + A N^-alpha + B D'^-beta with D' = U^gamma D^(1 - gamma)."""
    data = gamma * jnp.log(unique_tokens / 1e9) + (1.0 - gamma) * jnp.log(tokens / 1e9)
    return E + A * (params / 1e8) ** -alpha + B * jnp.exp(-beta * data)


def _law(loss: Callable, inputs: Sequence[str], **ranges: tuple[float, float]) -> js.Law:
    """Return a law with these ranges of its coefs, real where a range has both signs or begins at zero."""
    coefs = (js.Coef(name, "positive" if ends[0] > 0 else "real", ends) for name, ends in ranges.items())
    return js.Law(loss.__name__, loss, tuple(inputs), tuple(coefs))


_FLOOR, _POWER, _MOVE, _SLOPE, _BEND = (0.5, 3.0), (0.1, 1.0), (-1.0, 1.0), (-0.3, 0.3), (-0.1, 0.1)
_LR = ("lr", "bsz", "data_size", "non_embedding_param_size")
_MOE, _STREAMS = ("num_experts", "dense_parameter_count"), ("num_params", "parallel_size")
_UNIQUE = ("unique_tokens", "params", "tokens")

LAWS: Mapping[str, Sequence[js.Law]] = {
    "lr_bsz": (
        _law(
            surface, _LR, E=(1.0, 2.2), c=(-1.5, 0.5), r=_SLOPE, b=_SLOPE, d=_SLOPE, n=_SLOPE, rr=_BEND, bb=_BEND,
            dd=_BEND, nn=_BEND, rb=_BEND, rd=_BEND, rn=_BEND, bd=_BEND, bn=_BEND, dn=_BEND,
        ),
        _law(
            valley, _LR, E=_FLOOR, A=(0.05, 2.0), B=(0.05, 2.0), alpha=_POWER, beta=_POWER, c=(0.002, 0.2),
            m0=(-1.0, 2.0), mn=_MOVE, md=_MOVE, mb=_MOVE, g=(0.002, 0.2), n0=(-2.0, 2.0), nn=_MOVE, nd=_MOVE,
        ),
    ),
    "moe": (
        _law(experts, _MOE, E=_FLOOR, A=(0.1, 5.0), alpha=(0.05, 1.0), beta=(-0.2, 0.6)),
        _law(
            experts_corrected, _MOE, E=_FLOOR, a=(-3.0, 2.0), b=(-1.0, 0.5), c=(-1.0, 0.0), d=(-0.1, 0.1),
            e=(-0.2, 0.2),
        ),
    ),
    "parallel": (
        _law(streams, _STREAMS, E=(0.3, 3.0), A=(0.1, 5.0), k=(0.02, 2.0), alpha=(0.05, 1.0)),
        _law(streams_added, _STREAMS, E=(0.3, 3.0), A=(0.1, 5.0), alpha=(0.05, 1.0), c=(0.01, 1.0), beta=(0.05, 2.0)),
    ),
    "data_constrained": (
        js.LAWS.resolve("data-constrained"),
        _law(
            mixed_data, _UNIQUE, E=(0.5, 4.0), A=(0.05, 5.0), B=(0.1, 10.0), alpha=(0.1, 1.5), beta=(0.1, 1.5),
            gamma=(-0.1, 1.0),
        ),
    ),
}  # fmt: skip

COSTS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "lr_bsz": lambda runs: 6.0 * runs["non_embedding_param_size"] * runs["data_size"],
    "moe": lambda runs: 1.0 * runs["dense_parameter_count"] * runs["num_experts"],
    "parallel": lambda runs: 1.0 * runs["num_params"],
    "data_constrained": lambda runs: 6.0 * runs["params"] * runs["tokens"],
}
LOSSES = {"lr_bsz": "lm_loss", "moe": "loss_validation", "parallel": "loss", "data_constrained": "loss"}


def task_line(folder: Path, task: str, law: js.Law, criterion: str, seed: int) -> dict[str, float]:
    """Return R² of `r_squared` by the shares that the published table has, as texts."""
    found = r_squared(folder, task, law, criterion, tuple(map(float, LEVELS)), seed)
    return {str(level): value for level, value in found.items()}


def r_squared(
    folder: Path, task: str, law: js.Law, criterion: str, levels: Sequence[float], seed: int
) -> dict[float, float]:
    """Return R² on the target region, clipped to ±1, once each share of the total cost is spent by a criterion.

    Groups are fitted by themselves, and R² is of all of them. It is -1 where no run can be afforded.
    """
    train, test = (pd.read_csv(folder / f"{task}_scaling_law_{part}.csv") for part in ("train", "test"))
    found: dict[float, list[tuple[np.ndarray, np.ndarray]]] = {level: [] for level in levels}
    for group in sorted(test["group"].unique()):
        candidates, region = train[train["group"] == group], test[test["group"] == group]
        for level, fitted in _spent(candidates, region, task, law, criterion, levels, seed).items():
            measured = region[LOSSES[task]].to_numpy(float)
            predicted = js.predict(law, fitted, **{name: region[name].to_numpy(float) for name in law.inputs})
            found[level].append((measured, predicted))
    return {level: _r_squared(pairs) for level, pairs in found.items()}


def _spent(
    candidates: pd.DataFrame,
    region: pd.DataFrame,
    task: str,
    law: js.Law,
    criterion: str,
    levels: Sequence[float],
    seed: int,
) -> dict[float, dict[str, float]]:
    """Return the coefs at each level of spending at which there are runs."""
    from benchmarks.designs import point_of

    cost = COSTS[task](candidates).to_numpy(float)
    columns = {name: candidates[name].to_numpy(float) for name in law.inputs}
    loss = candidates[LOSSES[task]].to_numpy(float)
    few = region.iloc[np.unique(np.linspace(0, len(region) - 1, REGION).astype(int))]
    target = {name: few[name].to_numpy(float) for name in law.inputs}
    order = np.argsort(cost, kind="stable")[: int(FIRST_RUNS * len(law.coefs))]
    bought = [int(place) for place in order[np.cumsum(cost[order]) <= FIRST * levels[0] * cost.sum()]]
    fitted = {}
    for level in levels:
        for turn in range(ROUNDS):
            left = np.setdiff1d(np.arange(len(cost)), bought)
            budget = level * cost.sum() - cost[bought].sum()
            left = left[cost[left] <= budget]
            if not len(left):
                break
            known = {"source": _runs(columns, loss, bought), "law": law} if bought else _middle(law)
            chosen = js.design(
                **known,
                candidates={name: column[left] for name, column in columns.items()},
                costs=cost[left],
                budget=budget,
                target=target,
                criterion=criterion,
                seed=seed,
            )
            share = budget / (ROUNDS - turn)
            count = max(1, int(np.sum(np.cumsum(chosen.costs) <= share * (1.0 + 1e-9))))
            bought += [int(place) for place in left[chosen.rows[:count]]]
        if bought:
            fitted[level] = point_of(_runs(columns, loss, bought), law, seed)
    return fitted


def _runs(columns: Mapping[str, np.ndarray], loss: np.ndarray, places: Sequence[int]) -> js.Runs:
    rows = list(places)
    return js.Runs.from_arrays(loss=loss[rows], units_ok=True, **{name: one[rows] for name, one in columns.items()})


def _middle(law: js.Law) -> dict:
    """Return as the only knowledge that each coef is in the middle of its range, give or take half of it."""
    middle = {
        coef.name: float(np.sqrt(np.prod(coef.range))) if coef.support == "positive" else float(np.mean(coef.range))
        for coef in law.coefs
    }
    return {"law": law, "coefs": middle, "spread": 0.5}


def _r_squared(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    if not pairs:
        return -1.0
    measured, predicted = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    rest, total = np.sum((measured - predicted) ** 2), np.sum((measured - measured.mean()) ** 2)
    return float(np.clip(1.0 - rest / total, -1.0, 1.0))
