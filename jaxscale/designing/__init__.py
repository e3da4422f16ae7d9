"""Designs of experiments: which pilot runs to make next, and which to begin with."""

from jaxscale.designing.continuous import Continuous, continuous
from jaxscale.designing.criteria import CRITERIA
from jaxscale.designing.design import design
from jaxscale.designing.sweep import Sweep, sweep

__all__ = ["CRITERIA", "Continuous", "Sweep", "continuous", "design", "sweep"]
