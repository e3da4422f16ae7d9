"""The commands of `python -m benchmarks`; each lives in its own file and imports what it measures only when it runs."""

from __future__ import annotations

import subprocess
import sys

import click

from benchmarks import options
from benchmarks.backtests import backtests
from benchmarks.bootstrap import bootstrap
from benchmarks.cold import cold
from benchmarks.coverage import coverage
from benchmarks.designs import designs
from benchmarks.interrupts import interrupts
from benchmarks.kernels import kernels
from benchmarks.large import large
from benchmarks.noisy import noisy
from benchmarks.readme import table
from benchmarks.recovery import recovery
from benchmarks.scaling import scaling
from benchmarks.schedules import schedules
from benchmarks.starts import starts
from benchmarks.studies import studies
from benchmarks.tables import tables

MEASURING = (bootstrap, starts, cold, scaling)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure jaxscale against other ways to do the same work, on this machine.

    Without a command: everything, on the table that ships.
    """
    if context.invoked_subcommand is None:
        context.invoke(everything)


@click.command("all")
@options.table
@click.option("--full", is_flag=True, help="Also the long points of `scaling`.")
def everything(table: str | None = None, where: tuple[str, ...] = (), full: bool = False) -> None:
    """Run every benchmark on TABLE, each in a process of its own, and write the tables of the README."""
    words = [*([table] if table else []), *(word for condition in where for word in ("--where", condition))]
    for command in MEASURING:
        more = ["--full"] if full and command is scaling else []
        subprocess.run([sys.executable, "-m", "benchmarks", command.name, *words, *more], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks", "table"], check=True)


for command in (
    *MEASURING, backtests, tables, coverage, designs, interrupts, kernels, large, noisy, recovery, schedules, studies,
    everything, table,
):  # fmt: skip
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
