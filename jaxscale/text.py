"""Text of tables, files and users, escaped, quoted, shortened and listed for messages: no text can forge a line."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A JSON document, or a part of one."""
CELL_LIMIT = 40
SIZES = {"k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
"""Letters behind a number, as reports print params and tokens."""
_SIZED = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*([kmbt])", re.IGNORECASE | re.ASCII)
MOST = 1000
"""Numbers of a range that is typed."""
NAME_LIMIT = 200
MORE = "{shown} and {count} more"
CUT = "{shown}… ({length} characters)"


def escaped(text: str) -> str:
    """Return the text with control characters, direction overrides and backslashes as escapes, on one line."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in text)


def visible(text: str) -> str:
    r"""Return the text on one line, unprintable characters as escapes (`\x1b`); backslashes stay."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(text: str, *, limit: int = CELL_LIMIT) -> str:
    r"""Return the text in quotes, unprintable characters escaped (`\x1b`), at most `limit` characters of it."""
    quoted = f"'{escaped(text[:limit])}'"
    return quoted if len(text) <= limit else CUT.format(shown=quoted, length=len(text))


def shown_bare(text: str) -> str:
    r"""Return the text without quotes, unprintable characters as escapes (`\x1b`), at most 40 characters of it."""
    return visible(text[:CELL_LIMIT]) + "…" * (len(text) > CELL_LIMIT)


def shown_name(text: str) -> str:
    """Return a file name without quotes, escaped; more than 200 characters lose their middle."""
    if len(text) > NAME_LIMIT:
        text = text[: NAME_LIMIT // 2] + "…" + text[-NAME_LIMIT // 2 :]
    return escaped(text)


def listed(items: Sequence[object], *, limit: int = 5) -> str:
    """Return the items separated by commas, the ones past `limit` as a count."""
    shown_items = ", ".join(str(item) for item in items[:limit])
    return shown_items if len(items) <= limit else MORE.format(shown=shown_items, count=len(items) - limit)


def row_list(rows: Sequence[int]) -> str:
    """Return "row 4" or "rows 4, 5, 6, 13, 14 and 13 more"."""
    return f"{'row' if len(rows) == 1 else 'rows'} {listed(rows)}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return the count with its noun: "1 row", "3 rows"."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def typed(text: str) -> str:
    """Return the text as a shell takes it, for a command in a message; unprintable characters as escapes."""
    return shlex.quote(escaped(text))


def python_line(code: str) -> str:
    """Return the command that runs a line of Python, in double quotes where a shell takes nothing in it for its own."""
    return f'python -c "{escaped(code)}"' if not set('"$`\\!') & set(code) else f"python -c {typed(code)}"


def beside(source: str, ending: str) -> str:
    """Return the name of a file beside a table, as sweep.csv and long give sweep.long.csv; FILE for no file."""
    return f"{PurePath(source).stem if not source.startswith('<') else 'table'}.{ending}.csv"


def number_in(text: str) -> float | None:
    """Return the number that ASCII text without underscores holds, also as 7B, 2.6 B or 2T; None for anything else."""
    sized = _SIZED.fullmatch(text.strip())
    if sized is None:
        return decimal_in(text)
    return float(Decimal(sized[1]) * SIZES[sized[2].casefold()])  # exactly, as 2.6B is 2600000000


def decimal_in(text: str) -> float | None:
    """Return the number that ASCII text without underscores and letters of size holds, None for anything else."""
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def numbers_in(text: str) -> list[float | None]:
    """Return the numbers of a list with commas; 1e20:1e24:5 are five from 1e20 to 1e24, evenly apart in logarithms.

    None stands for an item that is none of this.
    """
    found: list[float | None] = []
    for item in text.split(","):
        parts = item.split(":")
        found += [number_in(item)] if len(parts) == 1 else _range([number_in(part) for part in parts])
    return found


def _range(ends: Sequence[float | None]) -> Sequence[float | None]:
    first, last, count, *more = (*(end or 0.0 for end in ends), 0.0)
    if more != [0.0] or not (0 < first < math.inf and 0 < last < math.inf and 2 <= count <= MOST and count % 1 == 0):
        return [None]
    steps = int(count) - 1
    inner = [first * (last / first) ** (step / steps) for step in range(1, steps)]
    return [first, *(float(f"{one:.15g}") for one in inner), last]
