"""result.json: strict JSON in ASCII, read with limits on its size and depth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from jaxscale.errors import StoreError
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json

NOT_JSON = "{place}: is not JSON as jaxscale writes it ({reason}), so the file is damaged; fit again"
TOO_LARGE = "{place}: is larger than {limit} MB, which no result of jaxscale is; nothing was read"

LARGEST = 64_000_000
DEEPEST = 64

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # possessive, the end optional: linear on any input
_BRACKET = re.compile(rb"[\[\]{}]")


def document(record: Mapping[str, Json]) -> bytes:
    """Return the record as indented ASCII; a number that is not finite must have been written as `scalars` does."""
    return json.dumps(record, indent=1, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


def record_of(data: bytes, *, place: str) -> Record:
    """Return the top object of a document; raise StoreError for NaN literals, doubled keys, depth above 64, or no JSON.

    data: at most LARGEST bytes, checked.   place: the file's name, for messages.
    """
    if len(data) > LARGEST:
        raise StoreError(TOO_LARGE.format(place=place, limit=LARGEST // 1_000_000))
    if _is_too_deep(data):
        raise StoreError(NOT_JSON.format(place=place, reason=f"nested deeper than {DEEPEST}"))
    try:
        top = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise StoreError(NOT_JSON.format(place=place, reason=_reason(error))) from error
    if not isinstance(top, dict):
        raise StoreError(NOT_JSON.format(place=place, reason="not an object"))
    return Record(top, place)


def _is_too_deep(data: bytes) -> bool:
    """Return whether brackets outside strings nest deeper than DEEPEST; the parser would recurse as deep as they do."""
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", data)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _no_constant(word: str) -> float:
    raise ValueError(f"the literal {word}")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not text"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}"
    return str(error)[:80]
