"""A user's law from the text of its equation, evaluated in JAX by walking its syntax tree; no text is executed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.expressions.formula import Arithmetic, Declared, Formula, declared, declared_all, formula_of, value_of
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded
from jaxscale.runs.headers import role_of

NAME = "expression"
UNTOLD = (1.0,)
"""The start of a Coef of which nothing was said."""
GRID = {"positive": (0.05, 0.2, 0.5, 1.0), "unit": (0.1, 0.35, 0.65, 0.9), "real": (-1.0, -0.3, 0.3, 1.0)}
"""The starts of a coef without any: what an exponent usually is; a coef that enters linearly is solved for instead."""
MOST = 64
"""Largest grid; of a larger product of start values every k-th point is taken."""
IS_FITTED = "'{name}' is what the law gives, so it cannot take it"

FUNCTIONS: Mapping[str, Callable[..., jax.Array]] = MappingProxyType(
    {
        "exp": jnp.exp,
        "log": jnp.log,
        "log10": jnp.log10,
        "log1p": jnp.log1p,
        "expm1": jnp.expm1,
        "sqrt": jnp.sqrt,
        "abs": jnp.abs,
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "softplus": jax.nn.softplus,
        "logaddexp": jnp.logaddexp,
        "min": jnp.minimum,
        "max": jnp.maximum,
        "minimum": jnp.minimum,  # as NumPy calls them: what people paste from their notebooks
        "maximum": jnp.maximum,
    }
)

JAX: Arithmetic[jax.Array] = Arithmetic(
    number=jnp.asarray,
    functions=FUNCTIONS,
    operations={
        ast.Add: jnp.add, ast.Sub: jnp.subtract, ast.Mult: jnp.multiply, ast.Div: jnp.divide, ast.Pow: jnp.power,
    },
    whole_power=jax.lax.integer_pow,  # its derivatives exist for a base of zero, too
    negative=jnp.negative,
)  # fmt: skip


@dataclass(frozen=True)
class ExpressionLoss:
    """The loss of one run by an expression, elementwise; equal to another of the same text and coefs.

    text: on one line, as `expressions.formula.formula_of` lets it through.
    """

    text: str
    declared: tuple[Declared, ...]

    def __call__(self, *inputs: jax.Array, **coefs: jax.Array) -> jax.Array:
        """Return the loss, for inputs in the order of `inputs`."""
        columns = dict(zip(self.inputs, inputs, strict=True))
        named = {name: columns[_column(name)] for name in self.formula.inputs}
        values = {name: jnp.asarray(value) for name, value in {**named, **coefs}.items()}
        return value_of(self.formula, self.formula.expression.tree, values, JAX)

    @property
    def __signature__(self) -> inspect.Signature:
        """The inputs and the coefs by name; raises ValueError where a column's name is no word, as `inspect` does."""
        either, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        inputs = [inspect.Parameter(name, either) for name in self.inputs]
        return inspect.Signature([*inputs, *(inspect.Parameter(one.name, named) for one in self.declared)])

    @property
    def formula(self) -> Formula:
        """The expression, parsed."""
        return _formula(self.text, tuple(one.name for one in self.declared))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns, in the order of appearance; N, D and C are params, tokens and flops, as in tables."""
        return tuple(dict.fromkeys(_column(name) for name in self.formula.inputs))

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions, in the order of appearance."""
        called = (node.func for node in ast.walk(self.formula.expression.tree) if isinstance(node, ast.Call))
        return tuple(dict.fromkeys(one.id for one in called if isinstance(one, ast.Name)))

    def check_input_name(self, name: str, what: str) -> None:
        """Raise UsageError with a caret under the first place at which a column stands, where one does."""
        for written in self.formula.inputs:
            if name in (written, _column(written)):
                self.formula.check_input_name(written, what)

    def first_not_finite(
        self, columns: Mapping[str, np.ndarray], coefs: Mapping[str, float]
    ) -> tuple[str, np.ndarray] | None:
        """Return the first part of the text, from the inside, that is not finite for some rows (n,), and for which.

        columns: one array (n,) per input.   None where every part is finite.
        """
        with precision.float64():
            named = {name: jnp.asarray(columns[_column(name)]) for name in self.formula.inputs}
            named |= {name: jnp.asarray(value) for name, value in coefs.items()}
            for node in self.formula.parts():
                is_wrong = ~np.isfinite(np.asarray(value_of(self.formula, node, named, JAX)))
                if is_wrong.any():
                    rows = len(next(iter(columns.values())))
                    return self.formula.written(node), np.broadcast_to(is_wrong, rows)
        return None


@dataclass(frozen=True)
class ExpressionStarts:
    """Start points on a grid of what is not linear, solved for the coefs without starts that are; equal by its loss."""

    loss: ExpressionLoss

    def __call__(self, columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        """Return a start per grid point: relative least squares in the linear coefs, the others given."""
        known = self.loss.declared
        linear = self.loss.formula.linear(tuple(one.name for one in known if not one.starts))
        curved = {one.name: one.starts or GRID[one.support] for one in known if one.name not in linear}
        real, unit = ([one.name for one in known if one.support == support] for support in ("real", "unit"))
        return gridded(self.loss, linear, curved, columns, target, real=real, unit=unit, keep=None, most=MOST)


def law_from_expression(text: str, coefs: Sequence[Coef | str], *, name: str = NAME) -> Law:
    """Return the law L = text in which coefs are the fitted numbers and every other name is a column.

    text: numbers, names, + - * / **, brackets, and the functions of `FUNCTIONS`; a column whose name is no word stands
    in backquotes.   coefs: as Coef, or as "name:support" or "name:support:start,start".   Where a coef that enters
    linearly has no start of its own, the law solves for it at every start.   Raises UsageError, with a caret under the
    place, for anything else in the text, for a coef that is not in it, and for a text without a column.
    """
    texts = [one if isinstance(one, str) else _declared(one).text for one in coefs]
    known = declared_all(texts)
    formula = formula_of(text, [one.name for one in known])
    for column in formula.inputs:
        if role_of(column) in ("loss", "weight"):
            formula.check_input_name(column, IS_FITTED.format(name=column))
    loss = ExpressionLoss(formula.text, known)
    given = {one.name: one for one in coefs if isinstance(one, Coef)}
    whole = [given.get(one.name) or Coef(one.name, one.support, one.starts or GRID[one.support]) for one in known]
    starts = None if all(one.starts for one in known) else ExpressionStarts(loss)
    return Law(name, loss, loss.inputs, tuple(whole), equation=formula.text, starts=starts)


def _declared(coef: Coef) -> Declared:
    """Return a Coef as it would be typed; raise UsageError where it could not be."""
    return declared(Declared(coef.name, coef.support, () if coef.starts == UNTOLD else coef.starts).text)


def _column(name: str) -> str:
    """Return the column that a name means: of the three sizes by any of their names, else its own."""
    role = role_of(name)
    return role if role in ("params", "tokens", "flops") else name


@lru_cache(maxsize=64)
def _formula(text: str, coefs: tuple[str, ...]) -> Formula:
    return formula_of(text, coefs)
