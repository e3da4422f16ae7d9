"""Residuals that see some of the coordinates, which ones by the kind of their row: few mixed derivatives are left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxscale.numerics.small_spd import pack_indices

Row: TypeAlias = Any
"""What a residual needs of one row: a pytree whose leaves have lost their leading axis (n,)."""


@dataclass(frozen=True)
class Share:
    """A residual of q coordinates, and where in theta a row finds them; hashable by its parts.

    residual(theta, row): of the q coordinates that the row sees.   kind(row): 0, 1, … as a float.   seen: per kind, the
    q places in theta. Coordinates that several kinds see come last, as a frame from a QR decomposition needs it.

    A row's derivatives are those in q coordinates, put where they belong; derivatives in coordinates that no row sees
    together are zero, and neither computed nor summed.
    """

    residual: Callable[[tuple[jax.Array, ...], Row], jax.Array]
    kind: Callable[[Row], jax.Array]
    seen: tuple[tuple[int, ...], ...]

    @property
    def width(self) -> int:
        """How many coordinates one row sees, q."""
        return len(self.seen[0])

    @cached_property
    def coordinates(self) -> tuple[Mapping[int, int], ...]:
        """Per coordinate of theta, kind → its place among the q."""
        size = 1 + max(max(places) for places in self.seen)
        return tuple({kind: seen.index(j) for kind, seen in enumerate(self.seen) if j in seen} for j in range(size))

    @cached_property
    def pairs(self) -> Mapping[tuple[int, int], Mapping[int, int]]:
        """The pairs of coordinates that some row sees together, in the order of `pack_indices`: kind → packed place."""
        packed = {pair: at for at, pair in enumerate(pack_indices(self.width))}
        found = {}
        for j, k in pack_indices(len(self.coordinates)):
            both = self.coordinates[j].keys() & self.coordinates[k].keys()
            ends = {kind: (self.coordinates[j][kind], self.coordinates[k][kind]) for kind in sorted(both)}
            if ends:
                found[j, k] = {kind: packed[min(pair), max(pair)] for kind, pair in ends.items()}
        return found

    def whole(self, theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
        """Return the residual as a function of all coordinates."""
        return self.residual(self.picked(theta, self.kinds(row)), row)

    def kinds(self, row: Row) -> list[jax.Array]:
        """Return per kind whether the row is of it."""
        kind = self.kind(row)
        return [kind == place for place in range(len(self.seen))]

    def picked(self, theta: tuple[jax.Array, ...], is_kind: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """Return the q coordinates that a row sees."""
        found = []
        for places in zip(*self.seen, strict=True):
            value = theta[places[0]]
            for is_this, place in zip(is_kind, places, strict=True):
                value = value if place == places[0] else jnp.where(is_this, theta[place], value)
            found.append(value)
        return tuple(found)

    def spread(
        self, values: Sequence[jax.Array], owners: Sequence[Mapping[int, int]], is_kind: Sequence[jax.Array]
    ) -> list[jax.Array]:
        """Return per owner, a map of kind → place, the row's value there, zero for a row of another kind."""
        found = []
        for of_kind in owners:
            places = set(of_kind.values())
            if len(of_kind) == len(self.seen) and len(places) == 1:
                found.append(values[places.pop()])
                continue
            value = jnp.zeros_like(values[0])
            for kind, place in of_kind.items():
                value = jnp.where(is_kind[kind], values[place], value)
            found.append(value)
        return found
