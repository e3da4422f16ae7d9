"""Column names as they come, cleaned of what the eye cannot see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jaxscale.errors import RunsError
from jaxscale.finding import Finding
from jaxscale.text import listed, shown

DUPLICATE_HEADERS = (
    "{source}: the header repeats {names}.\n"
    "Which of the columns is meant cannot be known: rename or delete all but one."
)
TOO_MANY_COLUMNS = "{source}: {count} columns, and at most {limit} are read; keep the ones that the fit needs"
HEADERS_CLEANED = "column names were cleaned of spaces or a byte-order mark: {names}; nothing to do"
UNNAMED = "column {position}"

COLUMN_LIMIT = 4096
BYTE_ORDER_MARK = "\ufeff"


def clean_headers(raw: Sequence[str], *, source: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the names without surrounding spaces and byte-order marks, and at most one finding that says so.

    A column without a name is called after its place, "column 3". Raises RunsError for duplicates and for more than
    4096 columns.
    """
    check_not_too_many(len(raw), source=source)
    names = tuple(name.strip().strip(BYTE_ORDER_MARK).strip() for name in raw)
    names = tuple(name or UNNAMED.format(position=position) for position, name in enumerate(names, start=1))
    repeated = [f"{shown(name)} ({count} times)" for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RunsError(DUPLICATE_HEADERS.format(source=source, names=listed(repeated)))
    cleaned = [shown(old) for old, name in zip(raw, names, strict=True) if old != name and old.strip()]
    if not cleaned:
        return names, ()
    return names, (Finding("headers-cleaned", HEADERS_CLEANED.format(names=listed(cleaned))),)


def check_not_too_many(count: int, *, source: str) -> None:
    """Raise RunsError for more than 4096 columns."""
    if count > COLUMN_LIMIT:
        raise RunsError(TOO_MANY_COLUMNS.format(source=source, count=count, limit=COLUMN_LIMIT))
