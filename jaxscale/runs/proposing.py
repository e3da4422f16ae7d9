"""What to type for a role that no column's name fills: a proposal, made of columns that hold numbers, or none."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from jaxscale.formulas.words import is_name
from jaxscale.runs.aliases import ALIASES, EPOCHS, bare_names, is_called, plain
from jaxscale.runs.candidates import Cells
from jaxscale.runs.numbers import Kind

LOSSES = ("loss", "nll", "cross entropy", "ce", "xent", "bpb", "bpc", "bits per byte")
PERPLEXITIES = ("ppl", "perplexity")
SHARES = ("acc", "accuracy", "top1", "top 1", "exact match")
STEPS = ("step", "steps", "n steps", "num steps", "train steps", "training steps", "max steps", "total steps", "iters",
         "iterations", "global step")  # fmt: skip
BATCHES = ("batch size", "global batch size", "train batch size", "bs", "gbs", "bsz", "global bs")
LENGTHS = ("seq len", "seq length", "sequence length", "context length", "ctx len", "block size", "max seq len")


def proposed(role: str, headers: Sequence[str], cells: Cells) -> str:
    """Return a column or a formula for a role, "" where none comes to mind.

    headers: those that play no role.   Only columns with numbers are proposed; whether they are meant is for the
    reader to say.
    """
    free = [header for header in headers if cells.has_numbers(header)]
    if role == "loss":
        return _loss(free, cells)
    if role == "tokens":
        found = [next((one for one in free if is_called(one, names)), None) for names in (STEPS, BATCHES, LENGTHS)]
        if None not in found:
            return " * ".join(_quoted(one) for one in found if one is not None)
    spoken = [plain(alias) for alias in (role, *ALIASES.get(role, ())) if len(alias) > 1]
    by_plain = {plain(bare_names(header)[-1]): header for header in free if not is_called(header, EPOCHS)}
    near = [by_plain[hit] for alias in spoken for hit in get_close_matches(alias, by_plain, n=1, cutoff=0.8)]
    return near[0] if near else ""


def _loss(free: Sequence[str], cells: Cells) -> str:
    for names, form in ((LOSSES, "{}"), (PERPLEXITIES, "log({})"), (SHARES, "1 - {}")):
        for header in free:
            words = plain(header).replace("/", " ").replace(".", " ").split()
            if any(name in words or name == " ".join(words) for name in names):
                text = header if form == "{}" else form.format(_quoted(header))
                return f"{text} / 100" if names == SHARES and _is_percent(header, cells) else text
    return ""


def _is_percent(header: str, cells: Cells) -> bool:
    """Return whether a share is written as 0 … 100: some cell is above 1."""
    numbers = cells.read(header)
    return bool((numbers.values[numbers.kind == Kind.NUMBER] > 1.0).any())


def _quoted(header: str) -> str:
    """Return a header as a formula takes it."""
    return header if is_name(header) else f"`{header}`"
