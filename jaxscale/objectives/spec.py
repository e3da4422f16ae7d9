"""What an objective is: a space of the residuals, a rho function with its scale, and the weight of each run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, SupportsFloat, TypeAlias

import jax
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.numerics.rho import Rho

if TYPE_CHECKING:
    from jaxscale.runs import Runs

Space: TypeAlias = Literal["log", "linear"]
SPACES: dict[str, Space] = {"log": "log", "linear": "linear"}

SPACE_UNKNOWN = "space = {space!r} is neither 'log' nor 'linear'"
SCALE_NOT_POSITIVE = "{name} = {delta!r} is not a positive, finite number"


@dataclass(frozen=True)
class Objective:
    """The sum over rows of weight · rho(r, scale), with r = ln prediction - ln loss, or prediction - loss.

    Attributes
    ----------
    name
        The word that finds it.
    space
        `log` or `linear`, which of the two r is.
    rho
        rho(r, scale) is elementwise and even in r, convex but for Student's t, and is compiled.
    scale
        Where rho bends, in the units of r (inf where it never does). It is a number at run time, so that sweeping it
        compiles nothing.
    limit
        For an objective that is a limit of vanishing scale, how far the scale goes down in units of the mean absolute
        residual; else 0.
    dof
        Degrees of freedom, for Student's t; else None.
    is_estimated
        Whether `js.fit` estimates the scale with the coefs; the scale is that estimate in a fit, and inf before.

    Raises
    ------
    UsageError
        For another space.

    Examples
    --------
    >>> js.huber(0.01).delta, js.squared().delta
    (0.01, None)
    """

    name: str
    space: Space
    rho: Callable[[jax.Array, jax.Array], Rho]
    scale: float
    limit: float = 0.0
    dof: float | None = None
    is_estimated: bool = False

    def __post_init__(self) -> None:
        if self.space not in ("log", "linear"):
            raise UsageError(SPACE_UNKNOWN.format(space=self.space))

    def __repr__(self) -> str:
        delta = "" if self.delta is None else f", delta {self.delta:g}"
        dof = "" if self.dof is None else f", {self.dof:g} degrees of freedom"
        return f"<Objective {self.name}: {self.space} space{delta}{dof}>"

    @property
    def delta(self) -> float | None:
        """The scale where it is a choice of the user's; None for objectives without one."""
        is_chosen = self.limit == 0.0 and self.dof is None and math.isfinite(self.scale)
        return self.scale if is_chosen else None


def check_delta(delta: float, name: str = "delta") -> float:
    """Return delta as a float; raise UsageError unless it is positive and finite.   name: of it, for the message."""
    if isinstance(delta, bool) or not isinstance(delta, SupportsFloat) or not 0 < float(delta) < math.inf:
        raise UsageError(SCALE_NOT_POSITIVE.format(name=name, delta=delta))
    return float(delta)


def weight_of(runs: Runs, objective: Objective) -> np.ndarray:
    """Return the factor (n,) of each run's rho: its weight, times 1/s² where it has a standard error.

    s is in the units of the residual r: sigma/loss in log space, sigma in linear space. So `squared` sums w (r/s)², as
    SciPy's curve_fit does, and `huber` divides rho(r) by s², its delta staying in the units of r; a rho that
    is |r| in the limit takes 1/s, w |r/s|. Overflow is not checked: see `fitting.table`.
    """
    precision = precision_of(runs, objective.space)
    return np.asarray(runs.weight * (np.sqrt(precision) if objective.limit else precision))


def precision_of(runs: Runs, space: Literal["log", "linear"]) -> np.ndarray:
    """Return 1/s² of each run (n,), s the standard error in the units of the residual: sigma/loss in log space.

    Ones for runs without standard errors.
    """
    if runs.sigma is None:
        return np.ones(len(runs))
    with np.errstate(all="ignore"):
        error = runs.sigma / runs.loss if space == "log" else runs.sigma
        return np.asarray(1.0 / error**2)
