"""Kaplan's algebra: what follows from his laws in closed form, for numbers and for arrays of NumPy or JAX."""

from jaxscale.allocation.kaplan.batches import (
    critical_batch,
    flops_at,
    flops_min,
    steps_at,
    steps_min,
    tokens_at,
    tokens_min,
)
from jaxscale.allocation.kaplan.convergence import (
    Comparison,
    Overhead,
    compare_convergence,
    convergence_factor,
    off_optimal,
    steps_to_reach,
    tokens_to_reach,
)
from jaxscale.allocation.kaplan.efficient import EfficientRun, compute_scale, efficient_run, on_budget
from jaxscale.allocation.kaplan.exponents import Exponents, allocation_exponents, compute_exponent
from jaxscale.allocation.kaplan.fitted import EQUATION_6_7, TABLE_6, FittedOptimum, PowerRule, fitted_optimum
from jaxscale.allocation.kaplan.overfitting import data_requirement, data_rule, overfitting_gap
from jaxscale.allocation.kaplan.stopping import Contradiction, contradiction, early_stop_steps

__all__ = [
    "EQUATION_6_7",
    "TABLE_6",
    "Comparison",
    "Contradiction",
    "EfficientRun",
    "Exponents",
    "FittedOptimum",
    "Overhead",
    "PowerRule",
    "allocation_exponents",
    "compare_convergence",
    "compute_exponent",
    "compute_scale",
    "contradiction",
    "convergence_factor",
    "critical_batch",
    "data_requirement",
    "data_rule",
    "early_stop_steps",
    "efficient_run",
    "fitted_optimum",
    "flops_at",
    "flops_min",
    "off_optimal",
    "on_budget",
    "overfitting_gap",
    "steps_at",
    "steps_min",
    "steps_to_reach",
    "tokens_at",
    "tokens_min",
    "tokens_to_reach",
]
