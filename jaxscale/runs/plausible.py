"""Plausibility of the medians of a table as counts of params, tokens and FLOP, and the units that fit them best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import log, log10, sqrt
from typing import Any

COUNTS = {1e6: "millions", 1e9: "billions", 1e12: "trillions", 1e3: "thousands"}
FLOP_UNITS = {
    1e18: "EFLOP", 8.64e19: "PF-days", 1e15: "PFLOP", 1e21: "ZFLOP", 1e12: "TFLOP", 1e9: "GFLOP", 8.64e16: "TF-days",
    8.64e22: "EF-days", 1e6: "MFLOP", 1e20: "units of 1e20 FLOP", 1e19: "units of 1e19 FLOP",
    1e22: "units of 1e22 FLOP", 1e23: "units of 1e23 FLOP", 1e24: "YFLOP",
}  # fmt: skip
"""Usual units, as factors to plain counts, each with its name."""
COST = {
    **dict.fromkeys((1e6, 1e9, 1e18, 8.64e19), 0.0),
    **dict.fromkeys((1e12, 1e15, 1e21), 0.25),
    **dict.fromkeys((1e3, 8.64e16, 8.64e22), 1.5),
}
"""How unusual a unit is, in the units of `strangeness`; below: others, one that makes numbers smaller, each column, and
a unit that a header names."""
OTHERS, SMALLER, EACH, HINTED = 2.5, 2.0, 3.0, -6.0
NEARLY = 2.0
"""Extra cost up to which another unit is still named."""
LIMITS = {
    "share": (-1.5, 1.5),
    "ratio": (-2.0, 5.0),
    "params": (4.0, 13.0),
    "tokens": (6.0, 15.0),
    "flops": (9.0, 28.0),
}
"""Decades within which half of the runs of any table lie: flops over 6 params tokens, tokens per param, and counts."""
USUAL = {"share": (0.0, 0.25), "ratio": (1.5, 0.8), "params": (8.5, 1.5), "tokens": (9.8, 1.2), "flops": (19.5, 2.5)}
"""Where the middle of most tables lies, and a standard deviation, in decades: it decides between units alone."""
EXACT, NOT_EXACT = 0.0065, 3.0
"""Decades within which flops are 6 params tokens but for rounding, and what it costs not to be."""
LOSSES, SPREAD, MOST = (1.7, 8.0), 0.15, 4.0
"""Losses that may be nats per token, how far ln loss lies from the law's at most sizes, and what that costs at most."""


@dataclass(frozen=True)
class Middle:
    """Medians of a table in decades, None where it does not tell: counts, tokens per param, flops over 6 params tokens.

    measured: the roles that have a column of their own; another one of the three follows from two of them.   loss: the
    median, in its own unit.
    """

    measured: tuple[str, ...]
    params: float | None = None
    tokens: float | None = None
    flops: float | None = None
    ratio: float | None = None
    share: float | None = None
    loss: float | None = None

    @property
    def outside(self) -> tuple[str, ...]:
        """The medians that no table of plain counts has."""
        return tuple(name for name, value in self._known() if not LIMITS[name][0] <= value <= LIMITS[name][1])

    @property
    def strangeness(self) -> float:
        """Half the sum of squares of how far the medians lie from the usual ones, as for minus a log probability."""
        known = dict(self._known())
        follow = ("tokens", "flops") if "ratio" in known else ()  # from params and the ratio
        deviations = [(value - USUAL[name][0]) / USUAL[name][1] for name, value in known.items() if name not in follow]
        squares = 0.5 * sum(deviation**2 for deviation in deviations)
        is_rough = self.share is not None and abs(self.share) > EXACT
        return squares + NOT_EXACT * is_rough + self._surprise()

    def rescaled(self, factors: Mapping[str, float]) -> Middle:
        """Return the medians of the table with measured columns multiplied."""
        by = {role: log10(factors.get(role, 1.0)) for role in self.measured}
        for role, (sign, first, second) in {
            "params": (-1, "tokens", "flops"),
            "tokens": (-1, "params", "flops"),
            "flops": (1, "params", "tokens"),
        }.items():
            if role not in by and first in by and second in by:
                by[role] = by[second] + sign * by[first]
        move = {role: by.get(role, 0.0) for role in ("params", "tokens", "flops")}
        move["ratio"] = move["tokens"] - move["params"]
        move["share"] = move["flops"] - move["params"] - move["tokens"]
        moved: dict[str, Any] = {name: value + move[name] for name, value in self._known()}
        return replace(self, **moved)

    def _surprise(self) -> float:
        """Return what the loss costs at these sizes, by the law of text; nothing for what is no loss per token.

        Source: Besiroglu et al. 2024, arXiv 2404.10102; compute alone is spent at 20 tokens per param.
        """
        sizes = self.params, self.tokens
        if self.params is None and self.tokens is None and self.flops is not None:
            params = log10(sqrt(10.0**self.flops / 120.0))
            sizes = params, params + log10(20.0)
        if self.loss is None or not LOSSES[0] < self.loss < LOSSES[1] or sizes[0] is None or sizes[1] is None:
            return 0.0
        expected = 1.8172 + 482.01 * 10.0 ** (-0.3478 * sizes[0]) + 2085.43 * 10.0 ** (-0.3658 * sizes[1])
        return min(0.5 * (log(self.loss / expected) / SPREAD) ** 2, MOST)

    def _known(self) -> Iterator[tuple[str, float]]:
        for name in LIMITS:
            value = getattr(self, name)
            if value is not None:
                yield name, value


def best_units(
    middle: Middle, hinted: Mapping[str, float]
) -> tuple[Mapping[str, float], tuple[Mapping[str, float], ...]]:
    """Return the factors, role → number, of the fewest and most usual units in which a table is plausible, and others
    that are nearly as good; nothing where no units help.

    hinted: role → factor that the header of its column names.
    """
    found = sorted(_rated(middle, hinted), key=lambda one: one[0])
    if not found:
        return {}, ()
    best, factors = found[0]
    return factors, tuple(other for cost, other in found[1:] if cost < best + NEARLY and set(other) == set(factors))


def _rated(middle: Middle, hinted: Mapping[str, float]) -> Iterator[tuple[float, Mapping[str, float]]]:
    """Yield the cost of every rescaling of one, two or three columns that makes the table plausible."""
    for count in range(1, len(middle.measured) + 1):
        for roles in combinations(middle.measured, count):
            for factors in product(*(_factors(role, hinted.get(role)) for role in roles)):
                chosen = dict(zip(roles, factors, strict=True))
                scaled = middle.rescaled(chosen)
                if not scaled.outside:
                    costs = (_cost(factor, hinted.get(role)) for role, factor in chosen.items())
                    yield scaled.strangeness + sum(costs) + EACH * count, chosen


def _factors(role: str, hint: float | None) -> tuple[float, ...]:
    units = FLOP_UNITS if role == "flops" else COUNTS
    return tuple(dict.fromkeys([*units, *(1.0 / unit for unit in units), *(() if hint is None else (hint,))]))


def _cost(factor: float, hint: float | None) -> float:
    if factor == hint:
        return HINTED
    return COST.get(factor, OTHERS) if factor > 1.0 else COST.get(1.0 / factor, OTHERS) + SMALLER
