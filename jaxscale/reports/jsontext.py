"""The numbers and the text of a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping


def json_text(document: Mapping[str, object]) -> str:
    r"""Return a document as strict, indented JSON in ASCII, `<` as \u003c; raise ValueError for a NaN or infinity."""
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")


def number(value: float | None) -> float | None:
    """Return a Python float, None where it is absent or not finite."""
    return float(value) if value is not None and math.isfinite(value) else None
