"""Resampling schemes: pure functions from a key and a table to the draw of one replicate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import jax
import numpy as np

Array = TypeVar("Array")

Need: TypeAlias = Literal["groups", "residuals"]


class Table(NamedTuple):
    """The table that a scheme resamples.

    Attributes
    ----------
    weight
        (n,) the table's own weights, zero in padding rows.
    rows
        int32 scalar, the number of real rows, which come first.
    cluster
        (n,) int32, to which cluster each row belongs, counted from 0 without a gap; a padding row to any.
    replicate
        int32 scalar, the index of the replicate, for schemes that enumerate in place of drawing, as the jackknife does.
    """

    weight: jax.Array | np.ndarray
    rows: jax.Array | np.ndarray
    cluster: jax.Array | np.ndarray
    replicate: jax.Array | np.ndarray = np.zeros((), np.int32)


class Fitted(NamedTuple):
    """The point fit on the rows of the table, (n,) each; zero in padding rows.

    Attributes
    ----------
    prediction
        ln loss or loss, as the objective's space has it.
    residual
        Prediction minus target.
    leverage
        The diagonal of the hat matrix of the weighted Jacobian, 0 … 1.
    """

    prediction: jax.Array | np.ndarray
    residual: jax.Array | np.ndarray
    leverage: jax.Array | np.ndarray


class Tables(NamedTuple):
    """T tables of the same rows with other losses, such as simulations of a fit draw.

    Attributes
    ----------
    shift
        (T, n) added to the target; zero in padding rows.
    fitted
        The point fit on each, of parts (T, n), for a scheme that reads residuals; else None.
    """

    shift: jax.Array | np.ndarray
    fitted: Fitted | None = None


class Draw(NamedTuple, Generic[Array]):
    """One replicate of a table, or several: arrays of the device or of NumPy.

    Attributes
    ----------
    weight
        (n,) in place of the table's, ≥ 0, zero in padding rows.
    shift
        (n,) added to the target; None for the table's own targets, which costs nothing.

    Examples
    --------
    >>> draw = ensemble.draws(np.arange(2))
    >>> draw.weight.shape, draw.shift
    ((2, 30), None)
    """

    weight: Array
    shift: Array | None = None


@dataclass(frozen=True)
class Scheme:
    """A named rule that draws replicates of a table.

    Attributes
    ----------
    name
        The word that finds it.
    draw
        draw(key, table, fitted) returns the Draw of one replicate.
    source
        Where it is written.
    needs
        `groups` for a scheme that draws the groups of a table, which then must have some; `residuals` for one that
        reads `fitted`, which is None otherwise.
    is_listed
        Whether its replicates are not drawn but listed, each table once, as the jackknife's: their number follows from
        the table, and they are no sample of a distribution.
    tables
        How many tables it draws from, which then stand in place of a point fit; 0 for the table itself.

    Examples
    --------
    >>> js.resampling.SCHEMES.resolve("pairs").source
    'Efron 1979, Annals of Statistics 7(1)'
    """

    name: str
    draw: Callable[[jax.Array, Table, Any], Draw[jax.Array]]
    source: str
    needs: tuple[Need, ...] = ()
    is_listed: bool = False
    tables: int = 0

    def __repr__(self) -> str:
        return f"<Scheme {self.name}: {self.source}>"

    @property
    def has_groups(self) -> bool:
        """Whether it draws the groups of a table."""
        return "groups" in self.needs

    def listed(self, weight: np.ndarray, group: np.ndarray | None = None) -> int | None:
        """Return how many replicates a scheme that lists them has: one for each row, or group, that counts.

        Parameters
        ----------
        weight, group
            (n,) of the table; group None where it has none.

        Returns
        -------
        int or None
            None for a scheme that draws, which has as many as one asks for.
        """
        if not self.is_listed:
            return None
        counts = np.asarray(weight) > 0
        return len(np.unique(clusters_of(group, len(counts))[counts])) if self.has_groups else int(counts.sum())


def clusters_of(group: np.ndarray | None, rows: int) -> np.ndarray:
    """Return to which cluster each row belongs (rows,) int32, in the order in which their names appear.

    group: (rows,) names, or None, where every row is a cluster of its own.
    """
    if group is None:
        return np.arange(rows, dtype=np.int32)
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(name, len(codes)) for name in group], dtype=np.int32)
