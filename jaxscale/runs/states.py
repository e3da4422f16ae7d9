"""Runs that did not finish, by a column of states that a tracker wrote."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np

from jaxscale.finding import Finding
from jaxscale.runs.cells import RawTable, texts
from jaxscale.runs.headers import is_called
from jaxscale.runs.naming import STATE_NAMES
from jaxscale.text import counted, escaped, listed, shown

NOT_FINISHED = frozenset({
    "crashed", "failed", "failure", "killed", "running", "preempted", "preempting", "pending", "queued", "scheduled",
    "stopped", "aborted", "canceled", "cancelled", "timeout", "out_of_memory", "oom", "diverged", "error", "nan",
})  # fmt: skip
"""States of Weights & Biases, MLflow and Slurm in which the last loss is not that of the planned run."""
UNFINISHED = "{rows} of runs that did not finish, by column {header}: {states}; {option} leaves them out"
LEAVES_OUT = "{option} leaves out what did not finish"


@dataclass(frozen=True)
class Unfinished:
    """Rows (k,), 0-based, of runs that did not finish, the header that says so, and their states, each once."""

    header: str
    rows: np.ndarray
    states: tuple[str, ...]

    @property
    def option(self) -> str:
        """The selection that leaves them out, as it is typed."""
        name = self.header if self.header.isidentifier() and self.header.isascii() else f"`{self.header}`"
        text = " and ".join(f"{name} != '{escaped(state)}'" for state in self.states)
        return f'--where "{text}"' if not {"`", "$"} & set(text) else f"--where {shlex.quote(text)}"

    @property
    def finding(self) -> Finding:
        """What a report says of them."""
        told = {"header": shown(self.header), "states": listed([shown(one) for one in self.states])}
        count = counted(len(self.rows), "row is", "rows are")
        return Finding(
            "unfinished-runs",
            UNFINISHED.format(rows=count, option=self.option, **told),
            tuple((self.rows + 1).tolist()),
        )


def unfinished(raw_table: RawTable, rows: np.ndarray) -> Unfinished | None:
    """Return what did not finish among 0-based rows, by the one column of states; None where all did, or none says."""
    headers = [
        one for one in raw_table.columns if is_called(one, STATE_NAMES) and raw_table.columns[one].dtype == object
    ]
    if len(headers) != 1:
        return None
    states = texts(raw_table.columns[headers[0]])[rows]
    is_out = np.array([state.casefold() in NOT_FINISHED for state in states], dtype=bool)
    if not is_out.any() or is_out.all() or any("'" in state for state in states[is_out]):
        return None
    return Unfinished(headers[0], rows[is_out], tuple(dict.fromkeys(states[is_out].tolist())))
