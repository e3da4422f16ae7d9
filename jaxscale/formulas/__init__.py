"""A formula that a user types: its text held against a short list of what may stand there, and its value; no JAX."""

from jaxscale.formulas.declaring import Declared, declared, declared_all
from jaxscale.formulas.evaluating import Arithmetic, value_of
from jaxscale.formulas.functions import ARITIES
from jaxscale.formulas.grammar import Formula, formula_of

__all__ = ["ARITIES", "Arithmetic", "Declared", "Formula", "declared", "declared_all", "formula_of", "value_of"]
