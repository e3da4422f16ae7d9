"""A specification curve: the answers of all specifications, in their order, and the parts of their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.numerics.shapley import shapley_effects
from jaxscale.registry import unknown
from jaxscale.results.result import Result
from jaxscale.results.specifications import ANSWERS, PARTS, Decomposition, Specification, SpecificationFit
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

NO_SPREAD = "no specification has {what} with replicates, so that there is no spread: {why}"
WORDS = {"params": "a best size", "loss": "a loss at the target"}


@dataclass(frozen=True)
class SpecificationCurve(Result):
    """The answers of all specifications to one question, the base first.

    Attributes
    ----------
    runs
        The table.
    flops
        The compute at which N_opt and the loss are told, FLOP.
    fits
        One per specification, in the order in which they were made; the first is the base.
    level, replicates, seed
        Of the intervals, and of the resampling, the same for every specification.
    is_product
        Whether the specifications combine the choices of every axis, or differ from the base on one axis each.
    left_out
        Choice that was not made → why.

    Examples
    --------
    >>> axes = {"deltas": (1e-3, 1e-1), "objectives": ["huber"], "rows": ["all"], "weights": ["table"]}
    >>> axes |= {"conventions": ["measured"], "spaces": ["log"]}
    >>> found = js.specifications(runs, ["kaplan-flops"], replicates=16, flops=1e20, **axes)
    >>> found.decomposition("loss").count
    2
    """

    runs: Runs
    flops: float
    fits: tuple[SpecificationFit, ...]
    level: float
    replicates: int
    seed: int
    is_product: bool
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.fits)

    def __repr__(self) -> str:
        answered = sum(one.is_answered("loss") for one in self.fits)
        return f"<SpecificationCurve of {len(self)} specifications at {self.flops:.4g} FLOP: {answered} with an answer>"

    @property
    def base(self) -> SpecificationFit:
        """The specification of the first choice on every axis."""
        return self.fits[0]

    def choices(self, axis: str) -> tuple[str, ...]:
        """Return the choices that were made on one axis, in their order.

        Parameters
        ----------
        axis
            A name of `jaxscale.results.PARTS`.

        Returns
        -------
        tuple of str
            Without the dash of an objective that has no delta.

        Raises
        ------
        UsageError
            For another name.
        """
        found = dict.fromkeys(one.specification.value_of(axis) for one in self.fits)
        return tuple(one for one in found if one != "–")

    def varied(self) -> tuple[str, ...]:
        """Return the axes on which there is more than one choice.

        Returns
        -------
        tuple of str
            In the order of the axes.
        """
        return tuple(axis for axis in PARTS if len(self.choices(axis)) > 1)

    def ordered(self, answer: str = "params") -> tuple[SpecificationFit, ...]:
        """Return the specifications that have an answer, from the least to the greatest.

        Parameters
        ----------
        answer
            `params` or `loss`.

        Returns
        -------
        tuple of SpecificationFit
            Those without one have no place in it.

        Raises
        ------
        UsageError
            For another answer.
        """
        self._check(answer)
        return tuple(sorted((one for one in self.fits if one.is_answered(answer)), key=lambda one: one.value(answer)))

    def decomposition(self, answer: str = "params") -> Decomposition:
        """Return where the spread of an answer comes from, all specifications alike.

        The variance of a replicate drawn from a specification drawn at random is the mean variance within the
        specifications, the noise, and the variance between their point fits. The latter is shared out among the axes by
        Shapley's rule.

        Parameters
        ----------
        answer
            `params`, in ln N_opt, or `loss`.

        Returns
        -------
        Decomposition
            Axes without a choice account for nothing.

        Raises
        ------
        UsageError
            For another answer, and where no specification has it.

        Notes
        -----
        It is the spread of the specifications that were asked for, no more: an axis of many choices, or of daring
        ones, accounts for more. The noise is that of a resampled table, in which all specifications share the runs.

        References
        ----------
        Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208, for the curve; Steegen et al. 2016,
        Perspectives on Psychological Science 11, 702, for the multiverse; Owen 2014 for Shapley effects.
        """
        self._check(answer)
        fits = [one for one in self.fits if one.is_answered(answer)]
        if not fits:
            raise UsageError(NO_SPREAD.format(what=WORDS[answer], why=self._why(answer)))
        values = np.array([one.value(answer) for one in fits])
        axes = [axis for axis in PARTS if len({one.specification.value_of(axis) for one in fits} - {"–"}) > 1]
        levels = levels_of([one.specification for one in fits], axes, self.choices("delta")[:1])
        effects = dict.fromkeys(PARTS, 0.0)
        if axes:
            effects |= dict(zip(axes, np.maximum(shapley_effects(values, levels), 0.0).tolist(), strict=True))
        noise = float(np.mean([one.variance[answer] for one in fits]))
        return Decomposition(answer, len(fits), noise + sum(effects.values()), effects, noise)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per specification: its choices, status and reason, and its answers with their intervals.

        Returns
        -------
        DataFrame
            Indexed from 0, which is the base.
        """
        import pandas as pd

        rows = [
            {
                **{axis: getattr(one.specification, axis) for axis in PARTS},
                "status": one.status,
                "reason": one.reason,
                "used": one.used,
                "usable": one.usable,
                **{
                    f"{name}{end}": value
                    for name in ANSWERS
                    for end, value in (
                        ("", getattr(one, name)), ("_low", one.low[name]), ("_high", one.high[name]),
                        ("_variance", one.variance[name]),
                    )
                },
            }
            for one in self.fits
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def _check(self, answer: str) -> None:
        if answer not in ANSWERS:
            raise UsageError(unknown("answer", answer, ANSWERS))

    def _why(self, answer: str) -> str:
        return next((one.reason for one in self.fits if one.reason), f"none of {len(self)} fits has one")


def levels_of(specifications: Sequence[Specification], axes: Sequence[str], dash: Sequence[str] = ()) -> np.ndarray:
    """Return the level (m, k) of every specification on these axes, numbered as they come.

    dash: the delta that stands for the dash of an objective without one, so that no two axes tell the same.
    """
    places: list[dict[str, int]] = [{} for _ in axes]
    return np.array(
        [
            [
                known.setdefault(next(iter(dash), said) if (said := one.value_of(axis)) == "–" else said, len(known))
                for axis, known in zip(axes, places, strict=True)
            ]
            for one in specifications
        ]
    ).reshape(len(specifications), len(axes))
