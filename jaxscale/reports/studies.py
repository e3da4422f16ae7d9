"""The report of many studies: how they ended, by law and objective, and each of them; or all as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, significant, span
from jaxscale.finding import forbids_plan
from jaxscale.reports.document import SCHEMA_VERSION, fit_document, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.layout import BAD, GOOD, Column, fact_table, plain, whole_table
from jaxscale.results import Studies, Study, StudyKey, residual_summary
from jaxscale.results.studies import TURN, at_largest, told_counts
from jaxscale.text import Json, counted, escaped

MOST = 40
"""Studies that are listed, and reasons."""
MEANINGS = (
    "within: half of the runs lie as near to the fit, in % of the loss; where residuals are of the loss, in its unit",
    "params N, loss: the best size and its loss at the largest budget, {budget}",
)
OWN_BUDGETS, THESE = "100 times the largest measured compute unless --flops gives others", "{flops:.4g} FLOP"
RESAMPLED = "{replicates:,} replicates of each by {scheme}, seed {seed}"
NOT_RESAMPLED = "none: there are no replicates, so no seed was used"
NOT_SOUND = "not trustworthy; jaxscale fit says more of one"
NO_PLAN = "no budget has a best size, at the bound at which the fit lies"
MORE = "… {count:,} more in --json"
LAW, RUNS, PARAMS, LOSS = 1, 3, 5, 7
"""Places of columns: a page of fewer letters than WIDE has the sizes, or else the losses."""
WIDE = 100
GAP = 1


def print_studies(found: Studies, console: Console, *, width: int) -> None:
    """Print how the studies ended, one row per law and objective, each of them, and why some are not there."""
    console.print(fact_table(_facts(found)), width=width)
    if len(found.laws) * len(found.objectives) > 1 and len(found.tables) > 1:
        console.print()
        console.print(_law_table(found, width))
    console.print()
    console.print(_study_table(found, width))
    console.print()
    has_budgets = any(one.frontier is not None for one in found.found.values())
    for line in MEANINGS if has_budgets else MEANINGS[:1]:
        console.print(plain(line.format(budget=_budget(found)), "dim"), width=width)
    reasons = list(_reasons(found))
    if reasons:
        console.print()
        console.print(fact_table(reasons, style="yellow"), width=width)
    if found.findings:
        console.print()
        console.print(warning_table(found.findings), width=width)


def studies_document(found: Studies, folders: Mapping[StudyKey, str] | None = None) -> dict[str, Json]:
    """Return the document of every study, or its reason; null for what does not exist.

    folders: of the studies that are saved.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "tables": list(found.tables),
        "laws": list(found.laws),
        "objectives": list(found.objectives),
        "replicates": found.replicates,
        "seed": found.seed,
        "counts": dict(found.counts),
        "trustworthy": found.is_trustworthy,
        "studies": [
            {
                "table": key.table,
                "law": key.law,
                "objective": key.objective,
                "status": found.status(key),
                "reason": found.failed.get(key, ""),
                "saved": (folders or {}).get(key),
                "study": fit_document(found.found[key]) if key in found.found else None,
            }
            for key in found
        ],
        "warnings": [written_warning(one) for one in found.findings],
    }


def _facts(found: Studies) -> Iterator[tuple[str, Text]]:
    sizes = ((found.tables, "table"), (found.laws, "law"), (found.objectives, "objective"))
    yield "studies", plain(f"{len(found):,}: {' × '.join(counted(len(names), word) for names, word in sizes)}")
    if len(found.laws) == 1:
        yield "law", plain(found.laws[0])
    if len(found.objectives) == 1:
        yield "objective", plain(found.objectives[0])
    is_good = set(found.counts) <= {"converged", "at_bound"}
    yield "ended", plain(told_counts(found.counts), GOOD if is_good else BAD)
    ensemble = next((one.ensemble for one in found.found.values() if one.ensemble is not None), None)
    told = {"replicates": found.replicates, "seed": found.seed}
    said = NOT_RESAMPLED if ensemble is None else RESAMPLED.format(scheme=ensemble.scheme.name, **told)
    yield "bootstrap", plain(said)


def _law_table(found: Studies, width: int) -> Table:
    """Return one row per law and objective: how the studies of all tables ended, and their median residual."""
    columns = [
        Column("law", "bold"), Column("objective"), Column("tables", is_right=True), Column("within", is_right=True),
        Column("ended", is_wrapped=True),
    ]  # fmt: skip
    rows = []
    for law in found.laws:
        for objective in found.objectives:
            keys = [StudyKey(table, law, objective) for table in found.tables]
            own = [found.found[key] for key in keys if key in found.found]
            ended = Counter(found.status(key) for key in keys)
            rows.append([law, objective, str(len(own)), _within(*own), told_counts(dict(ended.most_common()))])
    return whole_table(columns, rows, width=width)


def _study_table(found: Studies, width: int) -> Table:
    """Return one row per study, of columns in which any has something to say; a wide page has sizes and losses."""
    level = next((f"{100 * one.level:g} %" for one in found.found.values()), "interval")
    columns = [
        Column("table", "bold", is_wrapped=True), Column("law"), Column("objective"), Column("runs", is_right=True),
        Column("within", is_right=True), Column("params N", is_right=True), Column(level),
        Column("loss", is_right=True), Column(level), Column("status"),
    ]  # fmt: skip
    keys = list(found)
    rows = [_row(found, key) for key in keys[:MOST]]
    if len(keys) > MOST:
        rows.append([MORE.format(count=len(keys) - MOST), *[""] * (len(columns) - 1)])
    shown = [at for at in range(RUNS, len(columns)) if any(row[at] not in (ABSENT, "") for row in rows)]
    if width < WIDE and PARAMS in shown:
        shown = [at for at in shown if at not in (LOSS, LOSS + 1)]
    named = [0, *([LAW] if len(found.laws) > 1 else []), *([LAW + 1] if len(found.objectives) > 1 else [])]
    kept = [*named, *shown]
    return whole_table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], width=width, gap=GAP)


def _row(found: Studies, key: StudyKey) -> list[str]:
    study = found.found.get(key)
    head = [escaped(key.table), key.law, key.objective]
    if study is None:
        return [*head, *[ABSENT] * 6, found.status(key)]
    best = at_largest(study)
    if best is None:
        told = [ABSENT] * 4
    else:
        value, low, high = best.value, best.low, best.high
        told = [count(value["params"]), span(count(low["params"]), count(high["params"]))]
        told += [significant(value["loss"], 4), span(significant(low["loss"], 4), significant(high["loss"], 4))]
    return [*head, str(len(study.fit.runs)), _within(study), *told, found.status(key)]


def _doubt(found: Studies, key: StudyKey) -> tuple[str, str]:
    """Return why a study that is there is not trustworthy: its status or the code of a finding, and the words."""
    study = found.found[key]
    finding = forbids_plan(study.fit.findings)
    if not study.is_sound or finding is None:
        return found.status(key), NOT_SOUND if not study.is_sound else NO_PLAN
    return finding.code, finding.message


def _within(*studies: Study) -> str:
    """Return the median absolute residual, of several studies the median of theirs."""
    every = [residual_summary(one.fit) for one in studies]
    sizes = [one.median for one in every if one is not None]
    if not sizes:
        return ABSENT
    middle = float(np.median(sizes))
    is_relative = studies[0].fit.objective.space == "log"
    return f"{significant(100.0 * middle, 2)} %" if is_relative else significant(middle, 2)


def _budget(found: Studies) -> str:
    largest = {max(one.frontier.flops.tolist()) for one in found.found.values() if one.frontier is not None}
    return THESE.format(flops=largest.pop()) if len(largest) == 1 else OWN_BUDGETS


def _reasons(found: Studies) -> Iterator[tuple[str, Text]]:
    """Yield why studies are not there, or not to be trusted, each reason once with how many it is true of."""
    told: dict[tuple[str, str], list[StudyKey]] = {}
    for key in found:
        if key in found.failed:
            told.setdefault((found.status(key), found.failed[key]), []).append(key)
        elif key not in found.found:
            told.setdefault((found.status(key), TURN), []).append(key)
        elif not found.found[key].is_trustworthy:
            told.setdefault(_doubt(found, key), []).append(key)
    for (status, reason), keys in list(told.items())[:MOST]:
        more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
        yield status, plain(f"{escaped(str(keys[0]))}{more}: {escaped(reason)}")
    if len(told) > MOST:
        yield "", plain(MORE.format(count=len(told) - MOST))
