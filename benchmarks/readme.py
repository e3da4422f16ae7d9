"""`python -m benchmarks table`: the results in the README, written from the JSON files and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from benchmarks import (
    cold,
    coverage,
    designs,
    interrupts,
    large,
    markers,
    noisy,
    records,
    recovery,
    reporting,
    scaling,
    starts,
    studies,
    tables,
)
from benchmarks.sheets import Sheet, markdown

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: begin; written by `python -m benchmarks table` -->", "<!-- results: end -->"
SHEETS: Mapping[str, Callable[[Mapping], tuple[Sheet, ...]]] = {
    "bootstrap": reporting.sheets,
    "interrupts": interrupts.tabulate,
    "large": large.tabulate,
    "scaling": scaling.tabulate,
    "starts": starts.tabulate,
    "cold": cold.tabulate,
    "recovery": recovery.tabulate,
    "noisy": noisy.tabulate,
    "tables": tables.tabulate,
    "designs": designs.tabulate,
    "coverage": coverage.tabulate,
    "studies": studies.tabulate,
}
HEADING = "### {benchmark}, {date}\n\n{processor}, {cores} cores, {devices}; {versions}"
SHOWN = ("jaxscale", "jax", "numpy", "scipy", "optax", "optimistix")
NOTHING = "No run has been recorded."


@click.command("table")
def table() -> None:
    """Write the tables of `benchmarks/README.md` again from the JSON files in `benchmarks/results/`."""
    README.write_text(filled(README.read_text(encoding="utf-8"), records.read()), encoding="utf-8")
    click.echo(f"written to {README}", err=True)


def filled(page: str, documents: list[dict]) -> str:
    """Return the page with the results between its markers; raise ClickException where it has none."""
    sections = [section(document) for document in documents] or [NOTHING]
    return markers.filled(page, BEGIN, END, sections, README)


def section(document: Mapping) -> str:
    """Return the Markdown of one run: its heading, the machine, and its tables."""
    machine = document["machine"]
    versions = ", ".join(f"{name} {machine['versions'][name]}" for name in SHOWN if machine["versions"].get(name))
    heading = HEADING.format(
        benchmark=document["benchmark"],
        date=document["date"],
        processor=machine["processor"],
        cores=machine["cores"],
        devices=", ".join(machine["devices"]),
        versions=versions,
    )
    return "\n\n".join([heading, *map(markdown, SHEETS[document["benchmark"]](document))])
