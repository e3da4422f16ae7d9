"""Objectives: each a convex, even rho function of the residual, one per file."""

from jaxscale.objectives.absolute import absolute
from jaxscale.objectives.huber import huber
from jaxscale.objectives.spec import Objective
from jaxscale.objectives.squared import squared
from jaxscale.objectives.weighing import weight_of
from jaxscale.registry import Registry

OBJECTIVES = Registry("objective", (huber(), squared(), absolute()))

__all__ = ["OBJECTIVES", "Objective", "absolute", "huber", "squared", "weight_of"]
