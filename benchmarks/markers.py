"""Pages that people write and commands complete: what stands between two lines is written by a command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

NO_MARKERS = "{path} lacks the two lines that hold the results: {begin} and {end}"


def filled(page: str, begin: str, end: str, sections: Sequence[str], path: Path) -> str:
    """Return the page with these sections between the lines begin and end; raise ClickException where it has none."""
    before, is_begun, rest = page.partition(begin)
    _, is_ended, after = rest.partition(end)
    if not (is_begun and is_ended):
        raise click.ClickException(NO_MARKERS.format(path=path, begin=begin, end=end))
    return f"{before}{begin}\n\n" + "\n\n".join(sections) + f"\n\n{end}{after}"
