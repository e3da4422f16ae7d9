"""What to type for a role that no column's name fills: a proposal, made of columns that hold numbers, or none."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from jaxscale.expressions.tree import quoted
from jaxscale.runs.aliases import ALIASES, EPOCHS, bare_names, is_called, plain, role_of
from jaxscale.runs.candidates import Cells
from jaxscale.runs.numbers import Kind
from jaxscale.runs.qualified import is_qualified
from jaxscale.runs.unit_words import factor_named, factor_text, flop_factor, without_units

LOSSES = ("loss", "nll", "cross entropy", "ce", "xent", "bpb", "bpc", "bits per byte")
TRAINING = ("train", "training")
"""Words of a loss that is proposed last."""
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
            return " * ".join(quoted(one) for one in found if one is not None)
    if role in ("params", "tokens", "flops"):
        free = [header for header in free if role == "flops" or flop_factor(header) is None]
        found_in = [header for header in free if _is_of(role, header)]
        if found_in:
            return found_in[0]
    spoken = [plain(alias) for alias in (role, *ALIASES.get(role, ())) if len(alias) > 1]
    by_plain = {plain(bare_names(header)[-1]): header for header in free if not is_called(header, EPOCHS)}
    near = [by_plain[hit] for alias in spoken for hit in get_close_matches(alias, by_plain, n=1, cutoff=0.8)]
    return near[0] if near else ""


def proposed_flops(headers: Sequence[str], cells: Cells) -> str:
    """Return a column whose name says a unit of compute, as PF-days, "" where there is none."""
    return next((one for one in headers if cells.has_numbers(one) and _is_of("flops", one)), "")


def proposed_scale(role: str, header: str) -> str:
    """Return HEADER=FACTOR for a column whose name says its unit, "" for any other text."""
    factor = factor_named(role, header) if role in ("params", "tokens", "flops") else None
    return f"{header}={factor_text(factor)}" if factor is not None else ""


def _is_of(role: str, header: str) -> bool:
    """Return whether a header is a name of the role but for its unit, or names params of one kind."""
    bare = bare_names(header)[-1]
    if role == "flops" and flop_factor(bare) is not None:
        is_rate = "per" in plain(bare).split() or ("/s" in bare and "day" not in bare.casefold())
        return not is_rate
    is_named = role_of(without_units(bare)) == role and factor_named(role, bare) is not None
    return is_named or (role == "params" and is_qualified(header))


def _loss(free: Sequence[str], cells: Cells) -> str:
    ordered = sorted(free, key=lambda header: not set(TRAINING).isdisjoint(_words(header)))
    for names, form in ((LOSSES, "{}"), (PERPLEXITIES, "log({})"), (SHARES, "1 - {}")):
        for header in ordered:
            words = _words(header)
            if any(name in words or name == " ".join(words) for name in names):
                text = header if form == "{}" else form.format(quoted(header))
                return f"{text} / 100" if names == SHARES and _is_percent(header, cells) else text
    return ""


def _words(header: str) -> list[str]:
    return plain(header).replace("/", " ").replace(".", " ").split()


def _is_percent(header: str, cells: Cells) -> bool:
    """Return whether a share is written as 0 … 100: some cell is above 1."""
    numbers = cells.read(header)
    return bool((numbers.values[numbers.kind == Kind.NUMBER] > 1.0).any())
