"""Units in the name of a column, "tokens (B)", "compute_pf_days" or "N [millions]", and the factors they stand for."""

from __future__ import annotations

import re
from itertools import pairwise

UNIT_WORDS = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3, "m": 1e6, "mn": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "bil": 1e9, "billion": 1e9, "billions": 1e9, "g": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
_PREFIXES = {"mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24} | {
    "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
}  # fmt: skip
_FLOP = re.compile(r"(mega|giga|tera|peta|exa|zetta|yotta|[mgtpezy])f(?:lops?)?(/?s)?(days?|d)?")
_POWER = re.compile(r"1?e(\d{1,2})")


def factor_named(role: str, header: str) -> float | None:
    """Return the factor that the header of a role names; None where it names none."""
    words = _words(header)
    if role == "flops":
        factor = flop_factor(header)
        if factor is not None:
            return factor
    return next((factor for word in words[1:] if (factor := _factor(word)) is not None), None)


def flop_factor(header: str) -> float | None:
    """Return the FLOP in a unit of compute that a header names, as EFLOP or PF-days; None where it names none."""
    words = _words(header)
    joined = [*words, *("".join(pair) for pair in pairwise(words))]
    found = [match for match in map(_FLOP.fullmatch, joined) if match is not None]
    for match in found[::-1]:
        return _PREFIXES[match.group(1)] * (86_400.0 if match.group(3) else 1.0)
    return None


def without_units(header: str) -> str:
    """Return the name in front of its unit, in plain letters: "params" for "Params (M)"."""
    words = _words(header)
    return " ".join([*words[:1], *(word for word in words[1:] if word != "in" and _factor(word) is None)])


def factor_text(factor: float) -> str:
    """Return 1e9 for 1e+09."""
    return re.sub(r"e([+-])0*", lambda match: "e" + match.group(1).strip("+"), f"{factor:g}")


def _factor(word: str) -> float | None:
    power = _POWER.fullmatch(word)
    return 10.0 ** int(power.group(1)) if power is not None else UNIT_WORDS.get(word)


def _words(header: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9/]+", header.casefold()) if word]
