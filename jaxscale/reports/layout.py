"""What every page is laid out with: literal text, labels beside texts, and tables that fit a width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from jaxscale.text import visible

LABEL, GOOD, BAD = "dim", "green", "bold red"
WORDS = 9
"""Least width of a column of words."""


def plain(text: str, style: str = "") -> Text:
    """Return the text as rich prints it literally, without markup and without control characters."""
    return Text(visible(text), style=style)


def fact_table(facts: Iterable[tuple[str, Text]], style: str = LABEL) -> Table:
    """Return labels and texts side by side; a text wraps under itself."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(label, text)
    return table


class Column(NamedTuple):
    """The layout of a column. is_wrapped: words, which give way on a narrow page; others stay whole."""

    header: str
    style: str = ""
    is_right: bool = False
    is_wrapped: bool = False


def whole_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, width: int, gap: int = 2) -> Table:
    """Return a table for a page of that width.

    Words give way on a narrow page; names and numbers are never cut, so that the table may be wider than it.
    """
    cells = [list(row) for row in rows]
    longest = [max(map(len, (one.header, *(row[at] for row in cells)))) for at, one in enumerate(columns)]
    words = sum(size for size, one in zip(longest, columns, strict=True) if one.is_wrapped)
    natural, given = sum(longest) + (gap + 1) * len(columns), sum(one.is_wrapped for one in columns)
    least = natural - max(words - WORDS * given, 0)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), header_style="")
    table.width = max(min(width, natural), least)
    for size, column in zip(longest, columns, strict=True):
        table.add_column(
            column.header,
            style=column.style,
            justify="right" if column.is_right else "left",
            no_wrap=not column.is_wrapped,
            min_width=None if column.is_wrapped else size,  # no_wrap alone does not keep it whole
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(plain, row))
    return table


def bare_table(*headers: str) -> Table:
    """Return an empty table of whole cells with these headers, the line below them its only one."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table
