"""What an objective is: a space of the residuals, a rho function, and its scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, SupportsFloat, TypeAlias

import jax

from jaxscale.errors import UsageError
from jaxscale.numerics.rho import Rho

Space: TypeAlias = Literal["log", "linear"]

SPACE_UNKNOWN = "space = {space!r} is neither 'log' nor 'linear'"
SCALE_NOT_POSITIVE = "delta = {delta!r} is not a positive, finite number"


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
        rho(r, scale) is elementwise, convex and even in r, and is compiled.
    scale
        Where rho bends, in the units of r (inf where it never does). It is a number at run time, so that sweeping it
        compiles nothing.
    limit
        For an objective that is a limit of vanishing scale, how far the scale goes down in units of the mean absolute
        residual; else 0.

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

    def __post_init__(self) -> None:
        if self.space not in ("log", "linear"):
            raise UsageError(SPACE_UNKNOWN.format(space=self.space))

    @property
    def delta(self) -> float | None:
        """The scale where it is a choice of the user's; None for objectives without one."""
        return self.scale if self.limit == 0.0 and math.isfinite(self.scale) else None


def check_delta(delta: float) -> float:
    """Return delta as a float; raise UsageError unless it is positive and finite."""
    if isinstance(delta, bool) or not isinstance(delta, SupportsFloat) or not 0 < float(delta) < math.inf:
        raise UsageError(SCALE_NOT_POSITIVE.format(delta=delta))
    return float(delta)
