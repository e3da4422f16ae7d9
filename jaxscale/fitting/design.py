"""The design of a table: which inputs of a law move together in every run, so that no fit can tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.laws import Law
from jaxscale.laws.grouped import GROUP
from jaxscale.runs import Runs

ROUNDED = 5e-3
"""Relative error of a number written with three digits, at worst: closer than that two columns are one."""


@dataclass(frozen=True)
class Tie:
    """One input as a product of powers of others in every run: name = scale · Π other^power; alone, a constant."""

    name: str
    scale: float
    powers: Mapping[str, float]

    def __str__(self) -> str:
        parts = [other if power == 1.0 else f"{other}^{power:.3g}" for other, power in self.powers.items()]
        return " ".join([f"{self.name} =", f"{self.scale:.4g}".replace("e+", "e").replace("e0", "e"), *parts])


@dataclass(frozen=True)
class Design:
    """What a table lets vary among the inputs of a law.

    moving: the inputs that vary on their own.   ties: every other input, from those.   columns: all inputs (n, …),
    the tied ones exactly on their tie, without the rounding that hides it.   likeness: of the inputs that vary on
    their own, the largest share (R²) of the logs of one that the others explain.
    """

    moving: tuple[str, ...]
    ties: tuple[Tie, ...]
    columns: Mapping[str, np.ndarray]
    likeness: float

    @property
    def is_rising(self) -> bool:
        """Whether all runs lie on one curve along which no input falls as another grows."""
        return len(self.moving) == 1 and all(power > 0 for tie in self.ties for power in tie.powers.values())

    def __str__(self) -> str:
        return " and ".join(str(tie) for tie in self.ties)


def design_of(runs: Runs, law: Law) -> Design:
    """Return the design of a table of runs for the inputs of a law, from the logs of the rows that count.

    An input that is a schedule, or is not positive everywhere, counts as one that varies on its own; the place of a
    run's group is not counted.
    """
    rows = runs.weight > 0
    moving: list[str] = []
    logs: dict[str, np.ndarray] = {}
    ties: list[Tie] = []
    columns = {name: runs.columns[name] for name in law.inputs}
    likeness = 0.0
    for name, column in columns.items():
        if name == GROUP.name:
            continue
        if column.ndim > 1 or not (column[rows] > 0).all():
            moving.append(name)
            continue
        own = np.log(column, where=column > 0, out=np.zeros(len(column)))
        tie, left = _tie(name, own[rows], {other: log[rows] for other, log in logs.items()})
        if tie is not None:
            ties.append(tie)
            on_tie = sum((power * logs[other] for other, power in tie.powers.items()), np.full(len(own), 0.0))
            columns[name] = np.where(rows, tie.scale * np.exp(on_tie), column)
            continue
        likeness = max(likeness, 1.0 - left)
        logs[name] = own
        moving.append(name)
    return Design(tuple(moving), tuple(ties), columns, likeness)


def _tie(name: str, own: np.ndarray, others: Mapping[str, np.ndarray]) -> tuple[Tie | None, float]:
    """Return the tie of one log column (n,) to others, if there is one, and the share of its variance left over."""
    centred = own - own.mean()
    basis = np.stack([log - log.mean() for log in others.values()], axis=1) if others else np.zeros((len(own), 0))
    powers: np.ndarray = np.asarray(np.linalg.lstsq(basis, centred, rcond=None)[0])
    for tried in (np.round(powers), powers):  # a plain ray, D = 20 N, before D = 19.7 N^1.0003
        left = centred - basis @ tried
        if np.sqrt(np.mean(left**2)) <= ROUNDED * (1.0 + np.abs(tried).sum()):
            level = own.mean() - sum(
                power * log.mean() for power, log in zip(tried.tolist(), others.values(), strict=True)
            )
            kept = {other: float(power) for other, power in zip(others, tried.tolist(), strict=True) if power != 0.0}
            return Tie(name, float(np.exp(level)), kept), 0.0
    total = float(np.sum(centred**2))
    return None, float(np.sum(left**2)) / total if others else 1.0
