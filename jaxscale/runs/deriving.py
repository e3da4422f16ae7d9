"""The third of params, tokens and flops, where two are there, C = 6 N D (Kaplan et al. 2020, §2.1), and the ratio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from jaxscale.costs.sizes import FORMULAS, SOURCES, decided
from jaxscale.errors import RunsError
from jaxscale.text import listed

NOT_FINITE = "{source}: {role} = {formula} leaves the range of float64 in {rows}; check the units of {sources}"


def derived_column(role: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the role's column (n,) float64 from its two sources, in float64 from the first multiplication on.

    A row without a source stays NaN. Overflow and division by zero are not checked: see `check_usable`.
    """
    return decided({source: columns[source] for source in SOURCES[role]})[role]


def derivable_roles(columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Return the roles that are not there and whose two sources are, or become so: none, one, or one and the ratio."""
    known = set(columns)
    for role, sources in SOURCES.items():
        if known.issuperset(sources):
            known.add(role)
    return tuple(role for role in FORMULAS if role in known and role not in columns)


def recorded(roles: Iterable[str]) -> dict[str, str]:
    """Return role → formula for a table's record, without the ratio, which is no role of a table."""
    return {role: FORMULAS[role] for role in roles if role != "tokens_per_param"}


def check_usable(role: str, columns: Mapping[str, np.ndarray], *, row: np.ndarray, source: str) -> None:
    """Raise RunsError where the derived column left the range of float64 although its sources are finite numbers.

    A ratio is not refused here, since it is there for few laws: one that takes it refuses it.
    """
    if role == "tokens_per_param":
        return
    first, second = (columns[name] for name in SOURCES[role])
    has_left_range = ~np.isfinite(columns[role]) | ((columns[role] == 0) & (first != 0) & (second != 0))
    wrong = row[np.isfinite(first) & np.isfinite(second) & has_left_range]
    if wrong.size:
        rows = "row " + listed(wrong.tolist())
        raise RunsError(
            NOT_FINITE.format(
                source=source, role=role, formula=FORMULAS[role], rows=rows, sources=" and ".join(SOURCES[role])
            )
        )
