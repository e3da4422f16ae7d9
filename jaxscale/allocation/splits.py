"""What a budget buys: params and tokens at a law's price, and the loss of every split of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.laws.spec import EXCEEDS_SIMPLEX
from jaxscale.registry import unknown
from jaxscale.text import listed

FLOPS_PER_PARAM_TOKEN = 6.0
"""C = 6 N D: two for the forward pass and four for the backward one.   Source: Kaplan et al. 2020, §2.1."""

DECIDED = ("params", "tokens", "flops", "tokens_per_param")
"""The inputs that follow from a budget and its split; all others are fixed."""

NO_TRADE_OFF = "law '{name}' takes {inputs}: on one budget no two of params, tokens and their ratio are traded in it"
HAS_GROUPS = (
    "'{name}' was fitted to the groups {groups}, each with coefs of its own: take one of them first, as in "
    "jaxscale.fitting.group_of(fit, '{first}')"
)
FIXED_MISSING = "law '{name}' needs {missing} fixed at a value: a budget decides params and tokens only"

BAD_FIXED = "fixed: {name} = {value!r} is not a finite number"
EXCLUDED_FIXED = "fixed: {name} = {value!r} {demand}"
NOTHING_FIXED = "law '{name}' has no input to fix, and '{fixed}' is none: a budget decides all that it takes"


class Split(NamedTuple):
    """A budget before it is split: ln N D that it buys, its FLOP, and what does not change; all scalars.

    coefs: in the law's order.   fixed: in the order of `fixed_inputs`.
    """

    log_product: jax.Array
    log_flops: jax.Array
    coefs: tuple[jax.Array, ...]
    fixed: tuple[jax.Array, ...]

    @classmethod
    def of(cls, law: Law, log_flops: jax.Array, coefs: tuple[jax.Array, ...], fixed: tuple[jax.Array, ...]) -> Split:
        """Return what exp(log_flops) buys at the law's price of a param per token."""
        price: jax.Array | float = FLOPS_PER_PARAM_TOKEN
        if law.flops_per_param_token is not None:
            price = law.flops_per_param_token(**dict(zip(fixed_inputs(law), fixed, strict=True)))
        return cls(log_flops - jnp.log(jnp.asarray(price, log_flops.dtype)), log_flops, coefs, fixed)

    def loss(self, law: Law, log_params: jax.Array) -> jax.Array:
        """Return the law's loss at N = exp(log_params) and the tokens that are left of the budget."""
        log_tokens = self.log_product - log_params
        inputs = {
            "params": jnp.exp(log_params),
            "tokens": jnp.exp(log_tokens),
            "flops": jnp.exp(self.log_flops),
            "tokens_per_param": jnp.exp(log_tokens - log_params),
            **dict(zip(fixed_inputs(law), self.fixed, strict=True)),
        }
        return law.loss(*(inputs[name] for name in law.inputs), **dict(zip(law.names, self.coefs, strict=True)))


def fixed_inputs(law: Law) -> tuple[str, ...]:
    """Return the law's inputs that a budget does not decide, in order."""
    return tuple(name for name in law.inputs if name not in DECIDED)


def can_allocate(law: Law) -> bool:
    """Return whether the loss of a budget depends on how it is split: the law takes two of the four sizes."""
    return law.target == "loss" and sum(name in law.inputs for name in DECIDED) >= 2


def check_trade_off(law: Law) -> None:
    """Raise UsageError unless the law trades params for tokens, and is that of one group where there are several."""
    check_groups(law)
    if not can_allocate(law):
        raise UsageError(NO_TRADE_OFF.format(name=law.name, inputs=", ".join(law.inputs)))


def check_groups(law: Law) -> None:
    """Raise UsageError for a law with groups: each has a frontier of its own."""
    grouping = grouping_of(law)
    if grouping is not None:
        raise UsageError(HAS_GROUPS.format(name=law.name, groups=listed(grouping.groups), first=grouping.groups[0]))


def check_fixed(law: Law, fixed: Mapping[str, object]) -> None:
    """Raise UsageError unless the names are exactly the law's inputs that a budget does not decide."""
    wanted = fixed_inputs(law)
    check_fixed_names(law, fixed)
    missing = [name for name in wanted if name not in fixed]
    if missing:
        raise UsageError(FIXED_MISSING.format(name=law.name, missing=", ".join(missing)))


def fixed_values(law: Law, fixed: Mapping[str, float] | None) -> dict[str, float]:
    """Return the fixed inputs in the law's order; raise UsageError for missing, unknown or impossible ones."""
    check_fixed(law, fixed or {})
    found: dict[str, float] = {}
    for name in fixed_inputs(law):
        value, measure = (fixed or {})[name], law.input(name)
        number = np.asarray(value)
        if number.ndim or number.dtype.kind not in "iuf" or not np.isfinite(number):
            raise UsageError(BAD_FIXED.format(name=name, value=value))
        if measure.excludes(value):
            raise UsageError(EXCLUDED_FIXED.format(name=name, value=value, demand=measure.demand))
        found[name] = float(value)
    if law.exceeds_simplex(found):
        raise UsageError("fixed: " + EXCEEDS_SIMPLEX.format(names=", ".join(law.parts)))
    return found


def check_fixed_names(law: Law, fixed: Mapping[str, object]) -> None:
    """Raise UsageError for a name that is no input of the law, or one that a budget decides."""
    wanted = fixed_inputs(law)
    for name in fixed:
        if name not in wanted and not wanted:
            raise UsageError(NOTHING_FIXED.format(name=law.name, fixed=name))
        if name not in wanted:
            raise UsageError(unknown(f"fixed input of law '{law.name}':", name, wanted))
