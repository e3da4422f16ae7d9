"""One table of a report: shown on a terminal, and written as Markdown into the README."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 170  # in characters; a narrower terminal wraps its lines; cut numbers would be worse
ABSENT = "–"


@dataclass(frozen=True)
class Sheet:
    """A title, the names of the columns, rows of as many texts, the first of each its name, and notes below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def show(sheets: tuple[Sheet, ...]) -> None:
    """Print the sheets to stdout."""
    console = Console(width=max(Console().width, WIDTH))
    for sheet in sheets:
        table = Table(title=sheet.title, box=box.SIMPLE, title_justify="left")
        for place, column in enumerate(sheet.columns):
            table.add_column(column, justify="right" if place else "left", no_wrap=True)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
        for note in sheet.notes:
            console.print(note, highlight=False, soft_wrap=True)


def markdown(sheet: Sheet) -> str:
    """Return the sheet as a Markdown table with its title above and its notes below."""
    aligned = "|---|" + "---:|" * (len(sheet.columns) - 1)
    lines = [f"**{sheet.title}**", "", _line(sheet.columns), aligned, *map(_line, sheet.rows)]
    lines += ["", *(f"- {note}" for note in sheet.notes)] if sheet.notes else []
    return "\n".join(lines)


def text(number: float | None, style: str = ".3g") -> str:
    """Return a number in a style, a dash for one that is not there."""
    return ABSENT if number is None else f"{number:{style}}"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
