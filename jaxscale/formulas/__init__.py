"""A law that a user types: its text and its coefs, held against a short list of what may stand there; no JAX."""

from jaxscale.formulas.checking import as_power, constant
from jaxscale.formulas.declaring import Declared, declared, declared_all
from jaxscale.formulas.functions import ARITIES
from jaxscale.formulas.grammar import Formula, formula_of

__all__ = ["ARITIES", "Declared", "Formula", "as_power", "constant", "declared", "declared_all", "formula_of"]
