"""The record of a law: an equation with named coefs, checked against its function's signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws.charts import Chart, Coordinates, Plain
from jaxscale.laws.inputs import INPUTS, ROUNDING, Input
from jaxscale.laws.signatures import check_signature
from jaxscale.numerics.supports import SUPPORTS, Support, to_theta
from jaxscale.registry import unknown

Starts: TypeAlias = Callable[[Mapping[str, np.ndarray], np.ndarray], Sequence[Mapping[str, float]]]
"""From the columns (n, …) and the losses (n,) of a table to start points, so that a grid follows the table's units."""

T = TypeVar("T")

Design: TypeAlias = Callable[[np.random.Generator, int], Mapping[str, np.ndarray]]
"""From a generator and a number of rows to columns (rows, …) of runs as the law's documented range has them."""

PUBLISHED_LENGTH = "law '{name}': the published set '{set}' needs one value for each of {needed}"
TWICE = "law '{name}': '{word}' is declared twice"
SPAN_EMPTY = "coef '{name}': the span {span} is not a lower and a higher number inside the support '{support}'"
NO_SET = "set of constants of law '{name}':"
SET_OF_ANOTHER = "{name} is a set of constants of {laws}, not of '{law}': --law {first} --constants {name}"
NO_SETS = "law '{name}' has no published constants"
SHARES = ("accuracy", "error")
"""Targets that lie between 0 and 1."""
EXCEEDS_SIMPLEX = "the shares {names} are more than 1 together"
SHIPPED_SETS: dict[str, list[str]] = {}
"""The laws that ship with published constants of a name, entered by `jaxscale.laws`: for a refusal's advice."""
NOT_COEFS = "coefs = {coefs!r}: give numbers by name, as in {{'{example}': …}}, or the name of a published set"
COEFS_MISSING = "law '{name}' needs the coefs {needed}; missing: {missing}"


@dataclass(frozen=True)
class Coef:
    """One fitted number of a law.

    Attributes
    ----------
    name
        The word for it in the law's function and in every answer.
    support
        Where it may lie: `positive`, `real` or `unit`.
    starts
        Its start values, of which the law's grid of starts is made.
    meaning, unit
        In words.
    span
        The documented range, in which recovery is tried; without it that of the start values.

    Raises
    ------
    UsageError
        For an unknown support, or a span that is not a lower and a higher number inside the support.

    Examples
    --------
    >>> js.Coef("alpha", starts=(0.1, 0.5)).range
    (0.1, 0.5)
    """

    name: str
    support: str = "positive"
    starts: tuple[float, ...] = (1.0,)
    meaning: str = ""
    unit: str = ""
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        support = SUPPORTS.resolve(self.support)
        object.__setattr__(self, "starts", tuple(float(start) for start in self.starts))
        if self.span is not None:
            low, high = (float(end) for end in self.span)
            object.__setattr__(self, "span", (low, high))
            if not (low < high and support.contains(low) and support.contains(high)):
                raise UsageError(SPAN_EMPTY.format(name=self.name, span=self.span, support=self.support))

    @property
    def range(self) -> tuple[float, float]:
        """The documented range, lower and higher end."""
        return (min(self.starts), max(self.starts)) if self.span is None else self.span


@dataclass(frozen=True)
class Published:
    """Coefs as printed somewhere: the name of the set, the values in the law's order, and where they stand.

    tag: how well they are verified: `paper` (read in the paper), `code` (in its authors' code), `second-hand` (in
    notes by others), `refit` (by ourselves, from its data).
    """

    name: str
    values: tuple[float, ...]
    source: str
    tag: str = "paper"


@dataclass(frozen=True)
class Law:
    """An equation with named coefs; hashable, so that an equal law compiles nothing new.

    Attributes
    ----------
    name
        The word that finds it.
    loss
        `loss(*inputs, **coefs)`: a pure JAX function of one run. An input is a scalar, or a vector where its column
        has a trailing axis (a schedule); coefs are scalars. It must be twice differentiable in the coefs and is called
        under jit and vmap.
    inputs
        Names of the columns it takes, in order.
    coefs
        Its Coefs, in order.
    equation, source
        In words.
    starts
        Optional, start points from the data, of which it is shown five hundred runs at most; without it the grid is the
        product of the coefs' own start values.
    published
        Sets of coefs as printed somewhere, each with its name.
    domain
        Inputs whose meaning or range is the law's own; other names are those of `laws.inputs`.
    design
        Optional, runs in the documented range where inputs depend on one another or are vectors.
    flops_per_param_token
        `flops_per_param_token(**held)` → scalar: what a parameter costs per token, in FLOP, where that is not 6; held
        are the inputs besides params, tokens, flops and tokens_per_param, by name.
    frontier
        What is known of its frontier besides how it is found, or why it has none.
    notes
        What is known to mislead.
    target
        What the law gives, if that is no loss; then there is no frontier. An accuracy or an error lies between 0 and 1.
    space
        Where its residuals are taken in tests and examples: linear for a target that may be negative.
    ordered
        Pairs of which the first, a coef, must be below the second, another coef or an input.
    chart
        Optional, coordinates in which it is fitted where its coefs are far from quadratic; it says nothing of what the
        law is, and equal laws may differ in it.

    Raises
    ------
    UsageError
        Where the function's arguments are not what is declared, naming the word; for a word that is declared twice,
        and a published set of another length.

    Examples
    --------
    >>> def loss(params, *, A, alpha):
    ...     return A * params**-alpha
    >>> law = js.Law("mine", loss, ("params",), (js.Coef("A"), js.Coef("alpha")))
    >>> float(js.predict(law, {"A": 30.0, "alpha": 0.1}, params=1e10).round(6))
    3.0
    """

    name: str
    loss: Callable[..., jax.Array]
    inputs: tuple[str, ...]
    coefs: tuple[Coef, ...]
    equation: str = ""
    source: str = ""
    starts: Starts | None = None
    published: tuple[Published, ...] = field(default=())
    domain: tuple[Input, ...] = ()
    design: Design | None = None
    flops_per_param_token: Callable[..., jax.Array] | None = None
    frontier: str = ""
    notes: tuple[str, ...] = ()
    target: str = "loss"
    space: Literal["log", "linear"] = "log"
    ordered: tuple[tuple[str, str], ...] = ()
    chart: Chart | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("inputs", "coefs", "published", "domain", "notes", "ordered"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        words = (*self.inputs, *self.names)
        for word in words:
            if words.count(word) > 1:
                raise UsageError(TWICE.format(name=self.name, word=word))
        for one in self.published:
            if len(one.values) != len(self.coefs):
                raise UsageError(PUBLISHED_LENGTH.format(name=self.name, set=one.name, needed=", ".join(self.names)))
        check_signature(self)

    def __repr__(self) -> str:
        return f"<Law {self.name}({', '.join(self.inputs)}): {self.equation or ', '.join(self.names)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """The coefs' names, in order."""
        return tuple(coef.name for coef in self.coefs)

    @property
    def supports(self) -> tuple[Support, ...]:
        """The coefs' supports, in order."""
        return tuple(SUPPORTS.resolve(coef.support) for coef in self.coefs)

    @property
    def bounded(self) -> np.ndarray:
        """(p,) bool: the coefs whose support has an edge that the fit can run into."""
        return np.array([np.isfinite(support.low) or np.isfinite(support.high) for support in self.supports])

    def input(self, name: str) -> Input:
        """Return what is known of an input: of the law's own domain, else of the shared words, else its name."""
        return {**INPUTS, **{one.name: one for one in self.domain}}.get(name, Input(name))

    @property
    def gives_share(self) -> bool:
        """Whether what the law gives lies between 0 and 1."""
        return self.target in SHARES

    @property
    def parts(self) -> tuple[str, ...]:
        """The inputs that are shares of one whole."""
        return tuple(name for name in self.inputs if self.input(name).is_composition)

    def exceeds_simplex(self, columns: Mapping[str, ArrayLike]) -> np.ndarray:
        """Return where shares of one whole (…) are more than all of it together."""
        shares = [np.asarray(columns[name], np.float64) for name in self.parts]
        return np.asarray(np.sum(np.broadcast_arrays(*shares), axis=0) > 1.0 + ROUNDING if shares else False)

    @property
    def derived_from(self) -> tuple[str, ...]:
        """The columns of a table from which inputs are made that no table holds, as step and lr; none for most laws."""
        return tuple(dict.fromkeys(word for name in self.inputs for word in self.input(name).derived_from))

    def constants(self, name: str) -> dict[str, float]:
        """Return the published coefs of that name; raise UsageError, with the nearest, where there are none."""
        return dict(zip(self.names, self.published_set(name).values, strict=True))

    def published_set(self, name: str) -> Published:
        """Return the published set of that name; raise UsageError, with the nearest, where there is none."""
        sets = {one.name: one for one in self.published}
        if name not in sets:
            raise UsageError(_no_such_set(self, name))
        return sets[name]

    def given(self, coefs: Mapping[str, T] | str) -> Mapping[str, T] | Mapping[str, float]:
        """Return coefs as they are, or the published ones of that name."""
        return self.constants(coefs) if isinstance(coefs, str) else coefs

    def theta(self, coefs: Mapping[str, float]) -> np.ndarray:
        """Return coefs as a point (p,) of `coordinates`; raise UsageError for missing, unknown or outside values."""
        return self.thetas(self.vector(coefs))

    def thetas(self, values: np.ndarray) -> np.ndarray:
        """Return coefs (…, p) as points of `coordinates`; raise UsageError where one lies outside its support."""
        plain = to_theta(self.names, self.supports, values)
        return plain if self.chart is None else self.chart.to_theta(values)

    @property
    def coordinates(self) -> Coordinates:
        """Between the coefs and the real line, where all optimisation happens."""
        return Plain(self.supports) if self.chart is None else self.chart

    def holding(self, fixed: Iterable[str]) -> Law:
        """Return the same law, fitted in coordinates of which the fixed coefs are some."""
        names = frozenset(fixed)
        return self if self.chart is None or not names else replace(self, chart=self.chart.holding(names))

    def vector(self, coefs: Mapping[str, float]) -> np.ndarray:
        """Return coefs as float64 (p,) in the law's order; raise UsageError for missing or unknown names."""
        self.check_names(coefs)
        return np.array([float(coefs[name]) for name in self.names], dtype=np.float64)

    def check_names(self, coefs: Mapping[str, object]) -> None:
        """Raise UsageError unless the names are exactly the law's coefs."""
        names = self.names
        if not isinstance(coefs, Mapping):
            raise UsageError(NOT_COEFS.format(coefs=coefs, example=names[0]))
        for name in coefs:
            if name not in names:
                raise UsageError(unknown("coef", name, names))
        missing = [name for name in names if name not in coefs]
        if missing:
            needed = ", ".join(names)
            raise UsageError(COEFS_MISSING.format(name=self.name, needed=needed, missing=", ".join(missing)))


def _no_such_set(law: Law, name: str) -> str:
    """Return why there is no such set: it is another law's, or which are near, or that there are none."""
    if owners := SHIPPED_SETS.get(name):
        told = {"laws": " and ".join(map(repr, owners)), "law": law.name, "first": owners[0]}
        return SET_OF_ANOTHER.format(name=name, **told)
    known = tuple(one.name for one in law.published)
    return unknown(NO_SET.format(name=law.name), name, known) if known else NO_SETS.format(name=law.name)
