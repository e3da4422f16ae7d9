"""Objectives: each an even rho function of the residual, convex but for Student's t."""

from jaxscale.objectives.rho_functions import absolute, huber, log_cosh, squared
from jaxscale.objectives.spec import Objective, weight_of
from jaxscale.objectives.student import student_t
from jaxscale.registry import Registry

OBJECTIVES = Registry("objective", (huber(), squared(), absolute(), log_cosh(), student_t()))

__all__ = ["OBJECTIVES", "Objective", "absolute", "huber", "log_cosh", "squared", "student_t", "weight_of"]
