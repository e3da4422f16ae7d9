"""Objectives: each a convex, even rho function of the residual."""

from jaxscale.objectives.rho_functions import absolute, huber, squared
from jaxscale.objectives.spec import Objective, weight_of
from jaxscale.registry import Registry

OBJECTIVES = Registry("objective", (huber(), squared(), absolute()))

__all__ = ["OBJECTIVES", "Objective", "absolute", "huber", "squared", "weight_of"]
