"""Candidate columns for each role, by name and content; several candidates for one role are reported as a question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale.costs.training import training_flops
from jaxscale.runs.headers import LETTERS, SET_SIZES, STAGES, is_called, known_name, normalised, rivals_of, role_of
from jaxscale.runs.numbers import Kind, Numbers

WIDTHS = ("d model", "width", "n embd", "n embed", "embed dim", "embedding dim", "hidden size", "hidden dim")
LAYERS = ("layers", "n layers", "num layers", "n layer", "depth")
LENGTHS = ("context length", "seq len", "sequence length", "seq length", "context", "block size")
ARCHITECTURE = (
    *WIDTHS,
    *LAYERS,
    *LENGTHS,
    "d ff",
    "dff",
    "d head",
    "head dim",
    "n heads",
    "num heads",
    "heads",
    "n head",
)
"""Names of the shape of a network: beside them, small whole numbers under one letter are of that kind, too."""
NAMED = {"params": LAYERS, "tokens": WIDTHS, "flops": LENGTHS}
"""Other meanings of a role's letter in the shape of a network, where no column has that name."""
MOST_LAYERS, MOST_WIDTH = 512, 1 << 17
SAME = {"loss": 1e-6, "weight": 1e-6}
SAME_SIZE = 5e-3
"""Relative difference up to which two columns of sizes are the same numbers, rounded to three digits."""
SPREAD = 100.0
"""C / 6ND of a table varies less, whatever its units and conventions."""

Reader = Callable[[str], Numbers]
"""From a header to its cells as numbers."""


@dataclass(frozen=True)
class Cells:
    """Numbers of the columns.   read: by the options as given.   read_units: with units read too."""

    read: Reader
    read_units: Reader

    def has_numbers(self, header: str) -> bool:
        """Return whether some cell is a number as the options read it."""
        return bool((self.read(header).kind == Kind.NUMBER).any())

    def could_have_numbers(self, header: str) -> bool:
        """Return whether some cell is a number, or would be one with units."""
        return self.has_numbers(header) or bool((self.read_units(header).kind == Kind.NUMBER).any())


def candidates_of(
    role: str,
    headers: Sequence[str],
    taken: Mapping[str, str],
    cells: Cells,
    *,
    is_last: bool = False,
    spoken_for: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the headers that could play a role, the likeliest first; those of the same numbers count as one.

    headers: those that are free.   taken: role → header of the roles that are known.   is_last: nothing else names the
    role, so that a letter and the size of a data set count, too, if the numbers do not speak against it.   spoken_for:
    headers of other inputs. Params of some kind, as active ones, are candidates beside others, and never alone.
    """
    named = [header for header in headers if _is_named(header, role)]
    if len(named) > 1:
        named = [header for header in named if cells.could_have_numbers(header)] or named
    weak = [header for header in named if is_called(header, LETTERS) or is_called(header, SET_SIZES)]
    chosen = [header for header in named if header not in weak]
    if is_last:
        letters = [header for header in weak if is_called(header, LETTERS)]
        chosen = [header for header in letters if not _is_shape(header, role, headers, taken, cells)]
        chosen = chosen or [header for header in weak if header not in letters]
    chosen.sort(key=lambda header: (known_name(header) != role, header != role))  # of the same numbers, its own name
    if role == "params" and (chosen or is_last):
        rivals = [header for header in rivals_of(headers, chosen) if header not in spoken_for]
        rivals = [header for header in rivals if cells.could_have_numbers(header)]
        chosen += rivals if len(chosen) + len(rivals) > 1 else []
    return tuple(sorted(_different(role, chosen, cells), key=lambda header: _rank(role, header, taken, cells)))


def _is_named(header: str, role: str) -> bool:
    name = known_name(header)
    return name is not None and role_of(name) == role


def _rank(role: str, header: str, taken: Mapping[str, str], cells: Cells) -> tuple[object, ...]:
    """Return what orders candidates: numbers first, then what the name promises, then the role's own name."""
    name = known_name(header) or ""
    promises = {
        "loss": _stage(name),
        "flops": _distance(header, taken, cells) if {"params", "tokens"} <= set(taken) else not _is_whole(name),
        "tokens": not any(word in name.split() for word in ("seen", "trained", "training", "train", "total")),
    }
    return not cells.has_numbers(header), promises.get(role, False)


def _stage(name: str) -> int:
    """Return 0 for a loss on held-out data by its name, 1 for one on a test set, 2 for one that does not say."""
    words = name.replace("/", " ").replace(".", " ").split()
    if "test" in words:
        return 1
    return 0 if any(stage in words for stage in STAGES) else 2


def _is_whole(name: str) -> bool:
    return any(word in name.split() for word in ("total", "training", "train"))


def _distance(header: str, taken: Mapping[str, str], cells: Cells) -> float:
    """Return how far compute lies from 6 params tokens, in logs."""
    ratio = _ratio({**taken, "flops": header}, cells)
    return float(np.median(np.abs(np.log(ratio)))) if ratio.size else np.inf


def _ratio(sizes: Mapping[str, str], cells: Cells) -> np.ndarray:
    """Return C / 6ND of the rows that have all three, in units as they are."""
    params, tokens, flops = (cells.read(sizes[name]).values for name in ("params", "tokens", "flops"))
    with np.errstate(all="ignore"):
        ratio = flops / training_flops(params, tokens)
    kept: np.ndarray = ratio[np.isfinite(ratio) & (ratio > 0)]
    return kept


def _different(role: str, headers: Sequence[str], cells: Cells) -> list[str]:
    """Return the headers whose numbers are not those of one before."""
    kept: list[str] = []
    for header in headers:
        if not any(_is_same(role, cells.read(header), cells.read(other)) for other in kept):
            kept.append(header)
    return kept


def _is_same(role: str, one: Numbers, other: Numbers) -> bool:
    is_number = one.kind == Kind.NUMBER
    if not is_number.any() or not np.array_equal(is_number, other.kind == Kind.NUMBER):
        return False
    return np.allclose(one.values[is_number], other.values[is_number], rtol=SAME.get(role, SAME_SIZE), atol=0.0)


def _is_shape(header: str, role: str, headers: Sequence[str], taken: Mapping[str, str], cells: Cells) -> bool:
    """Return whether a letter is rather layers, a width or a context than a loss or a size, by its numbers."""
    numbers = cells.read(header)
    values = numbers.values[numbers.kind == Kind.NUMBER]
    if values.size and (values == np.rint(values)).all():
        beside = [other for other in headers if other != header]
        speaking = (*ARCHITECTURE, *SET_SIZES) if role == "tokens" else ARCHITECTURE
        has_shape = any(is_called(other, speaking) for other in beside)
        if role == "loss":
            has_loss = any("loss" in normalised(other).replace("/", " ").replace(".", " ").split() for other in beside)
            return bool((has_shape or has_loss) and values.max() <= MOST_LAYERS)
        is_small = values.max() <= (MOST_LAYERS if role == "params" else MOST_WIDTH)
        is_round = role == "params" or bool((values % 8 == 0).all())
        if has_shape and is_small and is_round and not any(is_called(other, NAMED.get(role, ())) for other in beside):
            return True
    if role in ("params", "tokens", "flops") and {"params", "tokens", "flops"} <= {*taken, role}:
        ratio = _ratio({**taken, role: header}, cells)
        return bool(ratio.size > 1 and ratio.max() > SPREAD * ratio.min())
    return False
