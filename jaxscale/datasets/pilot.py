"""The shipped table, made from scratch: seven sizes at each of six budgets, as before a larger model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxscale.datasets.simulating import simulate
from jaxscale.laws import LAWS

LAW, PUBLISHED = "chinchilla", "besiroglu2024"
BUDGETS = (1e18, 3e18, 1e19, 3e19, 1e20, 3e20)
"""FLOP of one run."""
STEPS = np.arange(-3, 4) / 3.0
"""Sizes of a budget, as powers of four times the best one."""
SEEDS = 3
"""Seeds of the best size at each budget; every other size has one."""
NOISE = 0.004
"""Standard deviation of ln loss, between seeds."""
SEED = 20240415
BATCH = 2**19
"""Tokens of one optimiser step: no run stops within a step."""

WIDTHS = range(128, 8193, 128)
ASPECTS = (48, 128)
"""Width per layer, smallest and largest."""

HEADER = "params,tokens,flops,loss,budget,seed,run"
TABLE = Path(__file__).with_name("simulated.csv")


def write(path: Path = TABLE) -> None:
    """Write the table; the same bytes every time."""
    path.write_bytes(table().encode("ascii"))


def table() -> str:
    """Return the table as CSV, losses rounded to four decimals as a training log prints them."""
    coefs = published()
    rows = [row for budget in BUDGETS for row in runs_of_budget(budget, best_size(budget, coefs))]
    params, tokens, budget, seed = (np.array(column) for column in zip(*rows, strict=True))
    runs = simulate(LAW, coefs, columns={"params": params, "tokens": tokens}, noise=NOISE, seed=SEED)
    lines = [
        f"{n:.0f},{d:.0f},{6.0 * n * d:.6e},{loss:.4f},{c:.0e},{s:.0f},c{c:.0e}-n{n / 1e6:.0f}M".replace("e+", "e")
        for n, d, loss, c, s in zip(params, tokens, runs.loss, budget, seed, strict=True)
    ]
    return "\n".join([HEADER, *lines, ""])


def published() -> dict[str, float]:
    """Return the coefs that the table was made with, nats per token and plain counts."""
    law = LAWS.resolve(LAW)
    values = next(one.values for one in law.published if one.name == PUBLISHED)
    return dict(zip(law.names, values, strict=True))


def best_size(budget: float, coefs: dict[str, float]) -> float:
    """Return the params that minimise the loss at C = 6 N D.   Source: Hoffmann et al. 2022, eq. 4."""
    size, data = coefs["alpha"], coefs["beta"]
    balance = (size * coefs["A"] / (data * coefs["B"])) ** (1.0 / (size + data))
    return balance * (budget / 6.0) ** (data / (size + data))


def runs_of_budget(budget: float, best: float) -> list[tuple[float, float, float, float]]:
    """Return (params, tokens, budget, seed) of every run: sizes a factor of four around the best one, D = C / 6N."""
    rows: list[tuple[float, float, float, float]] = []
    for step in STEPS:
        params = real_size(best * 4.0**step)
        tokens = BATCH * round(budget / (6.0 * params) / BATCH)
        rows += [(params, tokens, budget, float(seed)) for seed in range(SEEDS if step == 0 else 1)]
    return rows


def real_size(wanted: float) -> float:
    """Return the parameters of the transformer nearest in size: 12 · layers · width², without embeddings."""
    narrow, wide = ASPECTS
    sizes = [12 * layers * width**2 for width in WIDTHS for layers in range(-(-width // wide), width // narrow + 1)]
    return float(min(sizes, key=lambda size: abs(np.log(size / wanted))))
