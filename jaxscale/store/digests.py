"""The short name of a computation: the same data and options, the same eight characters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from jaxscale.store.scalars import Json


def digest_of(data_sha256: str, options: Mapping[str, Json]) -> str:
    """Return 8 hexadecimal characters that name this table together with these options, in any order of options.

    data_sha256: of the table's bytes.   options: JSON values, finite numbers; 1 and 1.0 are different.
    Raises ValueError for a number that is not finite, TypeError for what JSON cannot hold.
    """
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{data_sha256}\n{canonical}".encode()).hexdigest()[:8]
