"""How often intervals hold the truth, found by simulating studies on the runs of a fit."""

from jaxscale.covering.coverage import coverage

__all__ = ["coverage"]
