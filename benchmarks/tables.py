"""`python -m benchmarks tables`: the bootstrap on many tables, since one says little of another."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks import options, records, sheets

if TYPE_CHECKING:
    import jaxscale as js
    from benchmarks.rivals.spec import Study
    from benchmarks.timing import Measurement

OWN, FLOORS = "jaxscale", ("cpp-loop", "cpp-loop-candidates")
JAX_RIVALS = ("optax-lbfgs-whitened", "optimistix-bfgs-whitened")
LOWERED = 1e-8
"""Relative difference from which a contestant lowers a replicate."""
COLUMNS = (
    "table",
    "rows",
    "evaluations",
    "most",
    "ms/replicate",
    "of cpp-loop",
    "of cpp-loop-candidates",
    "× best JAX",
    "lowered",
    "by at most",
    "unusable",
)
NOTES = (
    "evaluations: of value, gradient and Hessian per replicate, those of the survey included; most: of one replicate.",
    "of cpp-loop: its time over jaxscale's, on all cores; of cpp-loop-candidates: from jaxscale's own candidates.",
    "× best JAX: time of the faster of {rivals} over jaxscale's, per replicate.",
    "lowered: the largest share of replicates that one contestant ends below jaxscale, by more than {lowered:g} of it.",
)


@dataclass(frozen=True)
class Line:
    """One table in the report.   milliseconds: per replicate, by contestant, the median of the repeats.

    evaluations, most_evaluations, unusable: jaxscale's.   compile_seconds: by contestant.   lowered: share of the
    replicates that a contestant lowers.   lowered_by: the most, relative.
    """

    table: str
    rows: int
    replicates: int
    evaluations: float
    most_evaluations: int
    milliseconds: Mapping[str, float]
    compile_seconds: Mapping[str, float | None]
    lowered: Mapping[str, float]
    lowered_by: float
    unusable: int

    def times(self, rivals: Sequence[str]) -> float:
        """Return the time of the fastest of these over jaxscale's; NaN where none ran."""
        return (
            min((self.milliseconds[name] for name in rivals if name in self.milliseconds), default=math.nan)
            / (self.milliseconds[OWN])
        )


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, resolve_path=True))
@click.option("--by", metavar="COLUMN", help="Every value of it is a table of its own, in files that have it.")
@click.option("--where", multiple=True, metavar="CONDITION", help="Rows to use; repeatable.")
@click.option("--replicates", default=2000, show_default=True, type=options.POSITIVE, help="Of jaxscale and C++.")
@click.option(
    "--batched-replicates", default=300, show_default=True, type=options.POSITIVE, help="… of the JAX rivals."
)
@click.option("--lanes", default=50, show_default=True, type=options.POSITIVE, help="Batch of those.")
@options.repeats
@options.seed
@options.out
def tables(
    paths: tuple[str, ...],
    by: str | None,
    where: tuple[str, ...],
    replicates: int,
    batched_replicates: int,
    lanes: int,
    repeats: int,
    seed: int,
    out: str | None,
) -> None:
    """Bootstrap the Chinchilla law on every table of PATHS, files and folders of CSV files."""
    from benchmarks import drawing, machine, timing
    from benchmarks.rivals import RIVALS

    few = min(batched_replicates, replicates)
    wanted = [rival for rival in RIVALS if rival.name in (OWN, *FLOORS, *JAX_RIVALS) and rival.absent() is None]
    contest = [(rival, few if rival.name in JAX_RIVALS else replicates) for rival in wanted]
    lines = []
    for name, runs in tables_in(paths, by, where):
        _tell(name)
        study = drawing.draw(runs, replicates=replicates, lanes=lanes, seed=seed)
        measured = timing.measure(study, contest, repeats=repeats, tell=lambda line: None)
        lines.append(line_of(name, study, measured))
    asked = {"paths": [Path(path).name for path in paths], "by": by, "where": list(where), "replicates": replicates}
    asked |= {"batched_replicates": few, "lanes": lanes, "repeats": repeats, "seed": seed}
    document = records.document("tables", [asdict(line) for line in lines], machine=machine.describe(), options=asked)
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)


def tables_in(paths: Sequence[str], by: str | None, where: tuple[str, ...]) -> Iterator[tuple[str, js.Runs]]:
    """Yield every table with its name; one that is refused is told of and left out."""
    import pandas as pd

    import jaxscale as js
    from jaxscale.errors import JaxscaleError

    files = [file for path in map(Path, paths) for file in (sorted(path.glob("*.csv")) if path.is_dir() else [path])]
    for file in files:
        columns = pd.read_csv(file)
        values = sorted(columns[by].unique()) if by in columns else [None]
        for value in values:
            chosen = where if value is None else (*where, f"{by} == '{value}'")
            name = file.stem if value is None else f"{file.stem} {value}"
            try:
                yield name, js.read_runs(str(file), where=chosen)
            except JaxscaleError as refusal:
                click.echo(f"{name} is left out: {str(refusal).splitlines()[0]}", err=True)


def line_of(name: str, study: Study, measured: Sequence[Measurement]) -> Line:
    """Return the line of one table: contestants against jaxscale on the replicates that both solved."""
    import numpy as np

    import jaxscale as js
    from benchmarks.judging import huber_sums

    found = {each.rival.name: each for each in measured}
    ensemble = js.bootstrap(study.fits["chinchilla"], replicates=study.replicates, seed=study.seed)
    lowered, most = {}, 0.0
    for rival, each in found.items():
        if rival == OWN:
            continue
        count = len(each.outcome.theta)
        usable, own = ensemble.usable[:count], ensemble.value[:count]
        with np.errstate(all="ignore"):
            gain = 1.0 - huber_sums(study.first(count), each.outcome.theta) / own
        gain = np.where(usable & np.isfinite(gain), gain, 0.0)
        lowered[rival] = float(np.mean(gain > LOWERED))
        most = max(most, float(gain.max(initial=0.0)))
    return Line(
        table=name,
        rows=len(study.loss),
        replicates=study.replicates,
        evaluations=float(ensemble.steps.mean()),
        most_evaluations=int(ensemble.steps.max()),
        milliseconds={rival: each.milliseconds[0] for rival, each in found.items()},
        compile_seconds={rival: each.compile_seconds for rival, each in found.items()},
        lowered=lowered,
        lowered_by=most,
        unusable=int(np.count_nonzero(~ensemble.usable)),
    )


def sheet_of(lines: Sequence[Line]) -> sheets.Sheet:
    """Return the lines as a table for people, their geometric means below."""
    rows = [
        (
            line.table,
            str(line.rows),
            sheets.text(line.evaluations),
            str(line.most_evaluations),
            sheets.text(line.milliseconds[OWN]),
            *(sheets.text(line.times([name])) for name in FLOORS),
            sheets.text(line.times(JAX_RIVALS)),
            f"{max(line.lowered.values(), default=0.0):.2%}",
            sheets.text(line.lowered_by, ".1e"),
            str(line.unusable),
        )
        for line in lines
    ]
    means = [
        geometric([line.evaluations for line in lines]),
        "",
        geometric([line.milliseconds[OWN] for line in lines]),
        *(geometric([line.times([name]) for line in lines]) for name in FLOORS),
        geometric([line.times(JAX_RIVALS) for line in lines]),
    ]
    rows.append(("geometric mean", "", *means, "", "", ""))
    notes = tuple(note.format(rivals=" and ".join(JAX_RIVALS), lowered=LOWERED) for note in NOTES)
    counts = " or ".join(f"{count:,}" for count in sorted({line.replicates for line in lines}))
    title = f"{len(lines)} tables, Chinchilla's law, Huber 1e-3, {counts} replicates of each"
    return sheets.Sheet(title, COLUMNS, tuple(rows), notes)


def tabulate(document: Mapping) -> tuple[sheets.Sheet, ...]:
    """Return the table of a document."""
    return (sheet_of([Line(**one) for one in document["results"]]),)


def geometric(numbers: Sequence[float]) -> str:
    """Return the geometric mean as text, a dash where a number is missing."""
    fine = all(math.isfinite(number) and number > 0 for number in numbers) and numbers
    return sheets.text(math.exp(sum(map(math.log, numbers)) / len(numbers)) if fine else None)


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)
