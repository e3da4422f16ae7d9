"""`--measured-cost`: what a table has measured of its runs, hours or FLOP or money, as a cost that limits a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from jaxscale.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from jaxscale.costs import Cost

NO_TABLE = "--measured-cost {name} is fitted to a table of runs: name a SAVED folder or a TABLE"
NO_USE = "--measured-cost {name} is used nowhere: limit it, as in --at-most {name}=5e4, or name it with --least"
NOT_MEASURED = "--measured-cost '{text}' is neither COLUMN nor COLUMN=proportional"
MEASURED_TWICE = "--measured-cost {name} is given twice"
PROPORTIONAL = "proportional"


def asked_costs(texts: Collection[str], *, used: Collection[str] = ()) -> dict[str, bool]:
    """Return name → whether it is in proportion to params and tokens, of the costs that a table has measured.

    used: texts of limits, and the cost that is least; raises UsageError for a cost that none of them names.
    """
    found: dict[str, bool] = {}
    named = {text.partition("=")[0].strip() for text in used}
    for text in texts:
        name, equals, kind = (part.strip() for part in text.partition("="))
        if not name or (equals and kind != PROPORTIONAL):
            raise UsageError(NOT_MEASURED.format(text=text))
        if name in found:
            raise UsageError(MEASURED_TWICE.format(name=name))
        if used and name not in named:
            raise UsageError(NO_USE.format(name=name))
        found[name] = bool(equals)
    return found


def measured_costs(texts: Collection[str], columns: Mapping[str, np.ndarray] | None) -> dict[str, Cost]:
    """Return name → cost as the columns of a table have measured it; before there is a table, costs to check limits by.

    Raises UsageError for a column that is not there, too few runs, and sizes that do not tell what each costs.
    """
    if not texts:
        return {}
    from jaxscale.costs import Cost, fitted_cost
    from jaxscale.costs.fitted import PowerAmount

    asked = asked_costs(texts)
    if columns is None:
        return {name: Cost(name, PowerAmount(1.0, 1.0, 1.0), name) for name in asked}
    return {name: fitted_cost(columns, name, unit=name, proportional=is_plain) for name, is_plain in asked.items()}


def check_has_table(texts: Collection[str]) -> None:
    """Raise UsageError for a cost that is to be fitted where there is no table."""
    for name in asked_costs(texts):
        raise UsageError(NO_TABLE.format(name=name))
