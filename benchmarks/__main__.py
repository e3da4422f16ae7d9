"""The commands of `python -m benchmarks`; each lives in its own file and imports what it measures only when it runs."""

from __future__ import annotations

import click

from benchmarks.bootstrap import bootstrap
from benchmarks.kernels import kernels

COMMANDS = (bootstrap, kernels)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure jaxscale against other ways to do the same work, on this machine."""


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
