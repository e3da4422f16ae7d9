"""Minimisation of thousands of small sums at once, without domain words.

`problem` says what is summed and differentiates it, `loop` owns steps, acceptance, finiteness and status, a method
(`newton`, `lbfgs`) only proposes where to go next, and a `surrogate` of the residuals stands in for them in the first
steps.
"""

from jaxscale.registry import Registry
from jaxscale.solvers.lbfgs import LBFGS
from jaxscale.solvers.newton import Newton

SOLVERS: Registry[Newton | LBFGS] = Registry("solver", (Newton(), LBFGS()))

__all__ = ["LBFGS", "SOLVERS", "Newton"]
