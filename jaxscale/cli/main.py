"""The `jaxscale` command and its subcommands; `jaxscale.cli.outcomes` decides about messages and exit codes."""

from __future__ import annotations

import sys
import threading
from typing import Any

import click

from jaxscale.cli import outcomes, printing, starting
from jaxscale.cli.approaches import approaches
from jaxscale.cli.bootstrap import bootstrap
from jaxscale.cli.check import check
from jaxscale.cli.compare import compare
from jaxscale.cli.coverage import coverage
from jaxscale.cli.design import design
from jaxscale.cli.doctor import doctor
from jaxscale.cli.fit import fit
from jaxscale.cli.frontier import frontier
from jaxscale.cli.helping import Group
from jaxscale.cli.laws import laws
from jaxscale.cli.merge import merge
from jaxscale.cli.plan import plan
from jaxscale.cli.plot import plot
from jaxscale.cli.predict import predict
from jaxscale.cli.report import report
from jaxscale.cli.score import score
from jaxscale.cli.session import Session, debug_option
from jaxscale.cli.specifications import specifications
from jaxscale.cli.studies import studies


class Commands(Group):
    """The group of all commands, whose process ends with the exit codes of the contract."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - click's own signature, less its names
        """Run one command line and leave the process with its exit code.

        Without arguments the command line is the process's, and so the process is the command's own.
        """
        session, run = Session(), super().main
        session.is_json = "--json" in (args[0] if args and args[0] is not None else extra.get("args") or sys.argv[1:])
        ours = {**extra, "prog_name": "jaxscale", "standalone_mode": False, "obj": session}
        is_own = not args and not extra and threading.current_thread() is threading.main_thread()
        if is_own:
            printing.occupy()
            outcomes.listen(session)
        code = outcomes.exit_code_of(lambda: run(*args, **ours), session)
        if is_own:
            outcomes.finish()
        sys.exit(code)

    def invoke(self, context: click.Context) -> object:
        """Run the command; of an interrupt click would write an empty line."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt as error:
            raise click.exceptions.Abort from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="jaxscale", message="%(prog)s %(version)s")
@debug_option
def main() -> None:
    """Fit scaling laws, bootstrap them, and turn them into a compute plan with bands.

    A table of training runs goes in, as CSV or Parquet. Results come out on stdout and are saved in a folder, from
    which other commands go on without fitting again.
    """


for command in (
    fit, studies, frontier, plan, design, compare, specifications, coverage, check, approaches, predict, score,
    bootstrap, merge, plot, report, laws, doctor,
):  # fmt: skip
    main.add_command(command)

starting.give_back()
