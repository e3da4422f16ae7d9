"""Specification curves: one question answered under every defensible choice of law, objective, counting and runs."""

from jaxscale.specifying.axes import DELTAS, ROWS, WEIGHTS, Axes
from jaxscale.specifying.refits import answered
from jaxscale.specifying.specifications import specifications

__all__ = ["DELTAS", "ROWS", "WEIGHTS", "Axes", "answered", "specifications"]
