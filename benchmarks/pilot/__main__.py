"""The commands of `python -m benchmarks.pilot`, in the order in which the study is made."""

from __future__ import annotations

import click

from benchmarks.pilot import plan
from benchmarks.pilot.making import make

workers = click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1), help="Runs at once, each on a core."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train very small language models, fit them, predict larger ones, and check."""


@main.command()
@workers
def tune(workers: int) -> None:
    """Try learning rates and batches."""
    make(plan.tuning(), stage="tune", workers=workers)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.pilot")
