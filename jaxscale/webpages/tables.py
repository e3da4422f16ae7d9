"""The tables of a page as texts: coefs, the frontier by budget, statuses, the rows that an answer rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale.digits import ABSENT, scientific, significant, times
from jaxscale.reports.tables import bounded, value_and_error
from jaxscale.reports.warnings import FAR, times_measured
from jaxscale.results import Diagnosis, Study
from jaxscale.status import Status
from jaxscale.text import counted, shown_bare
from jaxscale.webpages.repeating import row_ranges
from jaxscale.webpages.wording import UNITS, amount

SHOWN = 8
"""Most influential runs in the table; `js.diagnose` gives all."""


@dataclass(frozen=True)
class Budget:
    """One budget: its FLOP, where it lies, whether far beyond the data, and (value, band) of each quantity."""

    flops: str
    place: str
    is_far: bool
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Influential:
    """A run, or group, without which the fit was made again, or one more of the worst together."""

    name: str
    rows: str
    residual: str
    leverage: str
    moves: str
    answer: str


def coef_rows(study: Study) -> list[tuple[str, str, str, str, str]]:
    """Return name, value, standard error or what stands in its place, interval and meaning of each coef."""
    rows = []
    for coef in study.fit.law.coefs:
        found, (value, error) = study.coef_band(coef.name), value_and_error(study, coef.name)
        band = ABSENT if found is None else f"{bounded(float(found.lower))} … {bounded(float(found.upper))}"
        unit = f" ({coef.unit})" if coef.unit else ""
        rows.append((coef.name, value, error, band, f"{coef.meaning}{unit}"))
    return rows


def frontier_headers(study: Study) -> list[str]:
    """Return the headers of the quantities that the frontier determines."""
    return [UNITS[name] for name in _quantities(study)]


def frontier_rows(study: Study) -> list[Budget]:
    """Return one row for each budget of a study with a frontier."""
    frontier = study.frontier
    assert frontier is not None
    measured, bands = times_measured(frontier), {name: study.frontier_band(name) for name in _quantities(study)}
    rows = []
    for at, flops in enumerate(frontier.flops):
        cells = []
        for name, found in bands.items():
            ends = [] if found is None else [amount(name, float(side[at])) for side in (found.lower, found.upper)]
            cells.append((amount(name, float(getattr(frontier.point, name)[at])), " … ".join(ends)))
        factor = 1.0 if measured is None else float(measured[at])
        place = "" if measured is None else "measured" if factor <= 1.0 + 1e-9 else f"{times(factor)} data"
        rows.append(Budget(scientific(float(flops)), place, factor >= FAR, tuple(cells)))
    return rows


def status_rows(study: Study) -> list[tuple[str, int]]:
    """Return how many replicates ended with each status, those that none has left out."""
    if study.ensemble is None:
        return []
    counts = [(str(status), int(np.sum(study.ensemble.status == status))) for status in Status]
    return [(name, number) for name, number in counts if number]


def influential_rows(diagnosis: Diagnosis) -> list[Influential]:
    """Return the most influential units, each left out, and then the worst together."""
    own, has_answer = diagnosis.influence, len(diagnosis.influence.params) > 0
    order = np.argsort(-np.nan_to_num(own.distance, nan=-1.0), kind="stable")[:SHOWN]
    rows = [
        Influential(
            shown_bare(own.names[at]),
            row_ranges(own.rows[at]),
            significant(float(own.studentised[at]), 2),
            significant(float(own.leverage[at]), 2),
            significant(float(own.distance[at]), 2),
            significant(float(own.tokens_per_param[at]), 3) if has_answer else "",
        )
        for at in order.tolist()
    ]
    for one in diagnosis.removals[1:]:
        name = f"the worst {counted(len(one.names), diagnosis.unit)} together"
        answer = significant(one.tokens_per_param, 3) if has_answer else ""
        rows.append(Influential(name, row_ranges(one.rows), "", "", significant(one.distance, 2), answer))
    return rows


def _quantities(study: Study) -> Sequence[str]:
    assert study.frontier is not None
    point = study.frontier.point
    return [name for name in UNITS if np.isfinite(getattr(point, name)).any()] or ["loss"]
