"""Powers of positive numbers as exponentials, with derivatives in the exponent that stay finite.

XLA's CPU compiler calls a library for each float64 `x ** y`, lane by lane. As exp(y ln x) the logarithm is shared by
all lanes and the exponential stays in vector registers: an evaluation of a sum of two powers takes two fifths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.extend.core.primitives import (
    add_p,
    broadcast_in_dim_p,
    convert_element_type_p,
    div_p,
    exp_p,
    max_p,
    mul_p,
    pow_p,
    reshape_p,
    sqrt_p,
)
from jax.typing import ArrayLike

NEAR, TERMS = 0.05, 9
"""Where (e^x - 1)/x is taken as a series, and of how many terms: what is left out is 0.05^9/10! = 5e-19."""
KEEPING = frozenset((add_p, broadcast_in_dim_p, convert_element_type_p, div_p, max_p, mul_p, pow_p, reshape_p, sqrt_p))
"""What is positive if all of its operands are."""


def power(base: ArrayLike, exponent: ArrayLike) -> jax.Array:
    """Return base ** exponent for base > 0 (not checked), elementwise, as exp(exponent ln base).

    One exponential serves the value and every derivative in the exponent, and ln base is shared by all lanes.
    """
    return jnp.exp(jnp.asarray(exponent) * jnp.log(base))


def bent(exponent: ArrayLike, log_base: ArrayLike) -> jax.Array:
    """Return (base ** exponent - 1) / exponent, elementwise: ln base at exponent 0, and smooth there.

    Source: Box & Cox 1964.   Near 0 it is its series, since the quotient has derivatives that lose their digits.
    """
    log_base = jnp.asarray(log_base)
    reach = jnp.asarray(exponent) * log_base
    is_near = jnp.abs(reach) < NEAR
    safe = jnp.where(is_near, 1.0, reach)
    series = jnp.ones_like(reach)
    for term in range(TERMS, 1, -1):
        series = 1.0 + series * reach / term
    return log_base * jnp.where(is_near, series, jnp.expm1(safe) / safe)


def with_exponentials(
    function: Callable[..., jax.Array], is_positive: Sequence[bool], is_positive_named: Mapping[str, bool]
) -> Callable[..., jax.Array]:
    """Return the function with each power of a provably positive base taken as an exponential; to rounding the same.

    is_positive: of each positional argument; is_positive_named: of each argument by name. What is not known to be
    positive stays as it is, and so does a function that calls others which JAX does not inline: they may have
    derivatives of their own.   Source: JAX's documentation, "Writing custom interpreters".
    """

    def rewritten(*inputs: Any, **named: Any) -> Any:  # noqa: ANN401 - pytrees of any kind
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*inputs, **named)
        leaves = jax.tree.leaves((inputs, named))
        known = jax.tree.leaves(
            (
                tuple(
                    jax.tree.map(lambda _, flag=flag: flag, one) for one, flag in zip(inputs, is_positive, strict=True)
                ),
                {name: jax.tree.map(lambda _, name=name: is_positive_named[name], one) for name, one in named.items()},
            )
        )
        if not _has_plain_powers(closed.jaxpr):
            return function(*inputs, **named)
        results = _interpret(closed.jaxpr, closed.consts, leaves, known)
        return jax.tree.unflatten(jax.tree.structure(shape), results)

    return rewritten


def _has_plain_powers(jaxpr: Jaxpr) -> bool:
    """Return whether there are powers in a program, and no equation that contains another program."""
    parameters = [value for equation in jaxpr.eqns for value in equation.params.values()]
    is_plain = not any(callable(value) or isinstance(value, Jaxpr | ClosedJaxpr) for value in parameters)
    return is_plain and any(equation.primitive is pow_p for equation in jaxpr.eqns)


def _interpret(jaxpr: Jaxpr, consts: Sequence[Any], leaves: Sequence[Any], known: Sequence[bool]) -> list[Any]:
    """Return the results of a program, equation by equation, with a note of what is positive."""
    value = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *leaves), strict=True))
    positive = {variable for variable, flag in zip(jaxpr.invars, known, strict=True) if flag}

    def is_sure(atom: Any) -> bool:  # noqa: ANN401 - a variable or a literal
        return bool(jnp.ndim(atom.val) == 0 and atom.val > 0) if isinstance(atom, Literal) else atom in positive

    def read(atom: Any) -> Any:  # noqa: ANN401
        return atom.val if isinstance(atom, Literal) else value[atom]

    for equation in jaxpr.eqns:
        operands = [read(atom) for atom in equation.invars]
        primitive = equation.primitive
        if primitive is pow_p and is_sure(equation.invars[0]):
            results = [power(*operands)]
        else:
            found = primitive.bind(*operands, **equation.params)
            results = found if primitive.multiple_results else [found]
        value.update(zip(equation.outvars, results, strict=True))
        if primitive is exp_p or (primitive in KEEPING and all(map(is_sure, equation.invars))):
            positive.update(equation.outvars)
    return [read(atom) for atom in jaxpr.outvars]
