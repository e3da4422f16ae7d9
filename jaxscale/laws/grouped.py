"""One law for several groups of runs at once: some coefs are common, the others each group's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter, Signature
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Law
from jaxscale.laws.starts import Columns, product_starts
from jaxscale.registry import unknown

GROUP = Input("group_index", "g", "index", "place of the run's group among the groups, from 0", 0.0, 9.0)
"""The column that says which coefs are a run's own."""

T = TypeVar("T")

NONE_PER_GROUP = "per_group is empty: name the coefs of '{name}' that each group has of its own: {known}"
TWICE = "per_group names the coef '{coef}' twice"
NESTED = "the law '{name}' has groups already: group the law it was made from"


@dataclass(frozen=True)
class Grouping:
    """The loss of a run by the coefs of its own group: the function of a grouped law; hashable, equal by its parts.

    core: the law of each group.   groups: their names, in order.   per_group: the core's coefs that every group has
    of its own, as `E[name]`; the others are common.
    """

    core: Law
    groups: tuple[str, ...]
    per_group: tuple[str, ...]

    def __call__(self, *inputs: jax.Array, **coefs: jax.Array) -> jax.Array:
        """Return the core's loss of one run; the last input is the place of its group."""
        *own, index = inputs
        is_theirs = [jnp.equal(index, place) for place in range(len(self.groups))]
        return self.core.loss(*own, **{name: self._picked(name, coefs, is_theirs) for name in self.core.names})

    def _picked(self, name: str, coefs: Mapping[str, jax.Array], is_theirs: Sequence[jax.Array]) -> jax.Array:
        first, *others = (jnp.asarray(coefs[one]) for one in self.names_of(name))
        for is_this, other in zip(is_theirs[1:], others, strict=False):
            first = jax.lax.select(is_this, other, first)
        return first

    @property
    def __signature__(self) -> Signature:
        """The inputs by name; coefs by any, since a group's name need not be one of Python's."""
        names = (*self.core.inputs, GROUP.name)
        inputs = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        return Signature([*inputs, Parameter("coefs", Parameter.VAR_KEYWORD)])

    @property
    def common(self) -> tuple[str, ...]:
        """The coefs that all groups share, in the core's order."""
        return tuple(name for name in self.core.names if name not in self.per_group)

    def names_of(self, name: str) -> tuple[str, ...]:
        """Return what a coef of the core is called here: by one name per group, or its own where it is common."""
        return tuple(own_name(name, group) for group in self.groups) if name in self.per_group else (name,)

    def coefs_of(self, group: str, coefs: Mapping[str, T]) -> dict[str, T]:
        """Return the core's coefs for one group, of those of all; raise UsageError for an unknown group."""
        if group not in self.groups:
            raise UsageError(unknown("group", group, self.groups))
        named = {name: own_name(name, group) if name in self.per_group else name for name in self.core.names}
        return {name: coefs[full] for name, full in named.items() if full in coefs}

    def places_of(self, groups: ArrayLike) -> np.ndarray:
        """Return the places of groups given by name, float64; raise UsageError for an unknown one."""
        named, places = np.asarray(groups).astype(str), {group: float(at) for at, group in enumerate(self.groups)}
        for group in np.unique(named).tolist():
            if group not in places:
                raise UsageError(unknown("group", group, self.groups))
        return np.array([places[group] for group in named.ravel().tolist()]).reshape(named.shape)

    def spread(self, coefs: Mapping[str, T]) -> dict[str, T]:
        """Return coefs with every one that is named as in the core given to all groups."""
        return {full: value for name, value in coefs.items() for full in self.names_of(name)}


@dataclass(frozen=True)
class GroupedStarts:
    """Start points of a grouped law: the common coefs from the whole table, the others from each group's own rows."""

    grouping: Grouping

    def __call__(self, columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        """Return one start for each that the core has on the whole table.

        A group takes its own coefs from that of its starts whose common ones are nearest, so that a scale stays with
        its exponent.
        """
        of, index = self.grouping, columns[GROUP.name]
        pooled = _starts(of.core, columns, target)
        found: list[dict[str, float]] = [{name: start[name] for name in of.common} for start in pooled]
        for place, group in enumerate(of.groups):
            rows = index == place
            own = _starts(of.core, {name: columns[name][rows] for name in of.core.inputs}, target[rows])
            for start, near in zip(found, _nearest(of, pooled, own), strict=True):
                start |= {own_name(name, group): near[name] for name in of.per_group}
        return found


def grouped(law: Law, groups: Sequence[str], per_group: Sequence[str]) -> Law:
    """Return the law of runs of several groups, in which the coefs `per_group` are each group's own, as `E[name]`.

    groups: their names; a run's is the one at its `group_index`, one more input.   The coefs come in the law's order,
    the common ones last.   Raises UsageError for an unknown coef, none at all, or a law that has groups already.
    """
    if grouping_of(law) is not None:
        raise UsageError(NESTED.format(name=law.name))
    if not per_group:
        raise UsageError(NONE_PER_GROUP.format(name=law.name, known=", ".join(law.names)))
    for name in per_group:
        if name not in law.names:
            raise UsageError(unknown("coef", name, law.names))
        if tuple(per_group).count(name) > 1:
            raise UsageError(TWICE.format(coef=name))
    law = replace(law, chart=None)  # a group has but some of the coefs
    grouping = Grouping(law, tuple(groups), tuple(name for name in law.names if name in per_group))
    own_first = sorted(law.coefs, key=lambda coef: coef.name not in grouping.per_group)
    called = {full: full for name in law.names for full in grouping.names_of(name)}
    own = [grouping.coefs_of(group, called) for group in grouping.groups]
    pairs = [(one[low], one[high]) for one in own for low, high in law.ordered if high in one]
    return replace(
        law,
        loss=grouping,
        inputs=(*law.inputs, GROUP.name),
        coefs=tuple(replace(coef, name=name) for coef in own_first for name in grouping.names_of(coef.name)),
        equation=f"{law.equation}, with {', '.join(grouping.per_group)} of each group" if law.equation else "",
        starts=GroupedStarts(grouping),
        published=(),
        domain=(*law.domain, GROUP),
        ordered=tuple(dict.fromkeys(pairs)),
        design=None,
        flops_per_param_token=None,
    )


def grouping_of(law: Law) -> Grouping | None:
    """Return how a law is grouped; None for one that is not."""
    return law.loss if isinstance(law.loss, Grouping) else None


def core_of(law: Law) -> Law:
    """Return the law of each group; the law itself where there are no groups."""
    grouping = grouping_of(law)
    return law if grouping is None else grouping.core


def own_name(name: str, group: str) -> str:
    """Return what a group's own coef is called, `E[rpj]`."""
    return f"{name}[{group}]"


def core_name(name: str) -> str:
    """Return the core's name of a coef, `E` of `E[rpj]`."""
    return name.partition("[")[0]


def _starts(law: Law, columns: Columns, target: np.ndarray) -> Sequence[Mapping[str, float]]:
    if law.starts is None:
        return product_starts(law.coefs)
    return law.starts({name: columns[name] for name in law.inputs}, target)


def _nearest(
    of: Grouping, wanted: Sequence[Mapping[str, float]], own: Sequence[Mapping[str, float]]
) -> list[Mapping[str, float]]:
    """Return for each start that of `own` whose common coefs are nearest to its; of several, the next in turn."""
    places = [np.array([[start[name] for name in of.common] for start in starts]) for starts in (wanted, own)]
    scale = np.maximum(np.abs(places[0]), 1e-300)
    found = []
    for at, place in enumerate(places[0]):
        apart = np.sum(np.abs(places[1] - place) / scale[at], axis=1) if of.common else np.zeros(len(own))
        is_near = apart <= apart.min() * (1 + 1e-9) + 1e-12
        turn = np.roll(np.arange(len(own)), -(at % len(own)))
        found.append(own[int(turn[is_near[turn]][0])])
    return found
