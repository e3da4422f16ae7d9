"""Text that came from a table or a file, made safe to print: nothing in it can move the cursor or forge a line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from jaxscale.runs import Finding
from jaxscale.runs.showing import MORE

ROWS_SHOWN = 5


def visible(text: str) -> str:
    r"""Return the text on one line, unprintable characters as escapes (`\x1b`); backslashes stay, so that a message
    that was escaped before does not change.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain(text: str, style: str = "") -> Text:
    """Return the text as rich prints it literally, without markup and without control characters."""
    return Text(visible(text), style=style)


def rows_of(finding: Finding) -> str:
    """Return " (rows 4, 5, 6)" for a finding that concerns rows, the ones past five as a count; else nothing."""
    return f" ({row_list(finding.rows)})" if finding.rows else ""


def row_list(rows: Sequence[int]) -> str:
    """Return "row 4" or "rows 4, 5, 6, 13, 14 and 13 more"."""
    listed = ", ".join(str(row) for row in rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        listed = MORE.format(shown=listed, count=len(rows) - ROWS_SHOWN)
    return f"row {listed}" if len(rows) == 1 else f"rows {listed}"
