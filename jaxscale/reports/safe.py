"""Text that came from a table or a file, made safe to print: nothing in it can move the cursor or forge a line."""

from __future__ import annotations

from rich.text import Text

from jaxscale.finding import Finding
from jaxscale.text import row_list, visible


def plain(text: str, style: str = "") -> Text:
    """Return the text as rich prints it literally, without markup and without control characters."""
    return Text(visible(text), style=style)


def rows_of(finding: Finding) -> str:
    """Return " (rows 4, 5, 6)" for a finding that concerns rows, the ones past five as a count; else nothing."""
    return f" ({row_list(finding.rows)})" if finding.rows else ""
