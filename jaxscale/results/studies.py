"""Studies of several tables, laws and objectives: each of them, or the reason why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.registry import unknown
from jaxscale.results.minimum import residual_summary
from jaxscale.results.result import Result
from jaxscale.results.study import LEAST_USABLE, Study

if TYPE_CHECKING:
    import pandas as pd

REFUSED, UNMADE, FEW_USABLE = "refused", "not-made", "few-usable"
"""Statuses of a study that is refused, of one whose turn has not come, and of one with too few usable replicates."""
TURN = "its turn has not come yet: the same call goes on"
TOLD = ("params", "tokens", "loss")
"""What a frame says of the largest budget."""
NO_STUDY = "there is no study of {what}: {reason}"


class StudyKey(NamedTuple):
    """Which study it is.

    Attributes
    ----------
    table, law
        Their names.
    objective
        Its name, with its delta, degrees of freedom and space where they are not the usual ones: `huber(0.01) linear`.
    """

    table: str
    law: str
    objective: str

    def __str__(self) -> str:
        return ", ".join(self)


class AtLargest(NamedTuple):
    """What a study says of its largest budget, FLOP: name → value, and name → its limits, NaN where there are none."""

    flops: float
    value: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]


@dataclass(frozen=True)
class Studies(Result):
    """Every study of some tables by some laws under some objectives, made alike.

    Attributes
    ----------
    tables, laws, objectives
        The names, in the order in which they were given; a study for each combination.
    found
        Key → study, of those that are there.
    failed
        Key → why there is none. One that is in neither is not made yet, as in a folder whose call was interrupted.
    replicates, seed
        Of the resampling of each.
    findings
        Of the work: folders that were damaged and made again, studies whose worker was lost.

    Examples
    --------
    >>> found = js.studies([runs], ["pure-power-params", "data-constrained"], replicates=64)
    >>> found.counts
    {'converged': 1, 'refused': 1}
    >>> found["table", "pure-power-params", "huber"].fit.coefs == fit.coefs
    True
    """

    tables: tuple[str, ...]
    laws: tuple[str, ...]
    objectives: tuple[str, ...]
    found: Mapping[StudyKey, Study]
    failed: Mapping[StudyKey, str]
    replicates: int
    seed: int
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.tables) * len(self.laws) * len(self.objectives)

    def __iter__(self) -> Iterator[StudyKey]:
        for table in self.tables:
            for law in self.laws:
                yield from (StudyKey(table, law, objective) for objective in self.objectives)

    def __getitem__(self, key: tuple[str, str, str]) -> Study:
        found = self.found.get(StudyKey(*key))
        if found is not None:
            return found
        for kind, name, names in zip(StudyKey._fields, key, (self.tables, self.laws, self.objectives), strict=True):
            if name not in names:
                raise UsageError(unknown(kind, name, names))
        raise UsageError(NO_STUDY.format(what=StudyKey(*key), reason=self.failed.get(StudyKey(*key), TURN)))

    def __repr__(self) -> str:
        return f"<Studies: {self._size()}; {told_counts(self.counts)}>"

    @property
    def counts(self) -> dict[str, int]:
        """Status → how many studies ended with it, the most frequent first."""
        return dict(Counter(self.status(key) for key in self).most_common())

    @property
    def is_trustworthy(self) -> bool:
        """Whether every study is there and trustworthy."""
        return len(self.found) == len(self) and all(one.is_trustworthy for one in self.found.values())

    def status(self, key: StudyKey) -> str:
        """Return how a study ended.

        Parameters
        ----------
        key
            Which.

        Returns
        -------
        str
            The status of its fit; `few-usable` where too few of its replicates are; `refused` where there is no study,
            and `not-made` where there is none yet.
        """
        study = self.found.get(key)
        if study is None:
            return REFUSED if key in self.failed else UNMADE
        return FEW_USABLE if study.fit.is_usable and study.usable_share < LEAST_USABLE else str(study.fit.status)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per study: how it ended, its largest budget with limits, and its coefs with limits.

        Returns
        -------
        DataFrame
            Indexed by table, law and objective; NaN where a study has no such number.
        """
        import pandas as pd

        rows = [self._row(key) for key in self]
        index = pd.MultiIndex.from_tuples(list(self), names=StudyKey._fields)
        return pd.DataFrame(rows, index=index)

    def _row(self, key: StudyKey) -> dict[str, object]:
        study = self.found.get(key)
        row: dict[str, object] = {"status": self.status(key), "reason": self.failed.get(key, "")}
        if study is None:
            return row
        residuals, best = residual_summary(study.fit), at_largest(study)
        row |= {
            "runs": len(study.fit.runs),
            "objective_value": study.fit.value,
            "residual": np.nan if residuals is None else residuals.median,
            "usable": 0 if study.ensemble is None else int(study.ensemble.usable.sum()),
            "flops": np.nan if best is None else best.flops,
        }
        for name in TOLD if best is not None else ():
            assert best is not None  # for the type checker
            row |= {name: best.value[name], f"{name}_low": best.low[name], f"{name}_high": best.high[name]}
        for name in study.fit.coefs:
            value, limits = study.coef(name), study.coef_band(name)
            row[name] = np.nan if value is None else value
            row[f"{name}_low"], row[f"{name}_high"] = (
                (np.nan, np.nan) if limits is None else (float(limits.lower), float(limits.upper))
            )
        return row

    def _size(self) -> str:
        parts = ((self.tables, "table"), (self.laws, "law"), (self.objectives, "objective"))
        sizes = " × ".join(f"{len(names)} {word}{'s' if len(names) > 1 else ''}" for names, word in parts)
        return f"{len(self):,} studies, {sizes}"


def at_largest(study: Study) -> AtLargest | None:
    """Return what a study says of its largest budget; None without a frontier."""
    front = study.frontier
    if front is None:
        return None
    at, bands = int(np.argmax(front.flops)), {name: study.frontier_band(name) for name in TOLD}
    return AtLargest(
        float(front.flops[at]),
        {name: float(getattr(front.point, name)[at]) for name in TOLD},
        {name: np.nan if band is None else float(band.lower[at]) for name, band in bands.items()},
        {name: np.nan if band is None else float(band.upper[at]) for name, band in bands.items()},
    )


def told_counts(counts: Mapping[str, int]) -> str:
    """Return counts in words: "300 converged, 20 refused"."""
    return ", ".join(f"{count:,} {status}" for status, count in counts.items())


def name_of_objective(objective: Objective) -> str:
    """Return an objective's name, with what is not as usual in it."""
    usual = next((one for one in OBJECTIVES if one.name == objective.name), objective)
    words = [f"{part:g}" for part, other in ((objective.delta, usual.delta), (objective.dof, usual.dof))
             if part is not None and part != other]  # fmt: skip
    name = f"{objective.name}({', '.join(words)})" if words else objective.name
    return name if objective.space == usual.space else f"{name} {objective.space}"
