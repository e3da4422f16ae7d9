"""Proposals for a role without a column: another column, a formula, or a line that reshapes a wide table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from jaxscale.expressions.tree import quoted
from jaxscale.runs.candidates import Cells
from jaxscale.runs.headers import (
    ALIASES,
    EPOCHS,
    bare_names,
    factor_named,
    factor_text,
    flop_factor,
    is_called,
    is_qualified,
    known_name,
    normalised,
    role_of,
    without_units,
)
from jaxscale.runs.naming import RUN_NAMES, STEP_NAMES
from jaxscale.runs.numbers import Kind, NumberStyle, numbers
from jaxscale.text import beside, listed, python_line, shown

LOSSES = ("loss", "nll", "cross entropy", "ce", "xent", "bpb", "bpc", "bits per byte")
TRAINING = ("train", "training")
"""Words of a loss that is proposed last."""
PERPLEXITIES = ("ppl", "perplexity")
SHARES = ("acc", "accuracy", "top1", "top 1", "exact match")
STEPS = ("step", "steps", "n steps", "num steps", "train steps", "training steps", "max steps", "total steps", "iters",
         "iterations", "global step")  # fmt: skip
BATCHES = ("batch size", "global batch size", "train batch size", "bs", "gbs", "bsz", "global bs")
LENGTHS = ("seq len", "seq length", "sequence length", "context length", "ctx len", "block size", "max seq len")

WIDE = (
    "It looks like a table with a column of losses for each {what}: {columns}. "
    "What is read has one row per run{then}:\n"
    "{line}"
)
MELTED = "{table}{kept}.melt({axis!r}, var_name={name!r}, value_name='loss').dropna()"
WRITTEN = "import pandas; {melted}.to_csv({file!r}, index=False)"
LONG = (
    "It looks like a log of metrics, as MLflow exports it: one number a row, and its name in column {key}. "
    "What is read has a column for each metric:\n"
    "{line}"
)
PIVOTED = "{table}.pivot_table(index={index!r}, columns={key!r}, values={value!r}).reset_index()"
KEYS, VALUES = ("key", "metric", "metric name", "metric key"), ("value", "metric value")
WITHOUT_SPREADS = ".loc[:, lambda frame: ~frame.columns.str.contains('__MIN|__MAX')]"
THEN_SIZES = ", beside columns of its params and tokens, which are to be added"
THEN_UNITS = ", here with --units"
EACH = {"run": "run", "params": "size", "tokens": "number of tokens"}
AXES = ("step", "steps", "global step", "train step", "iteration", "iterations", "iter", "time", *EPOCHS)
SPREADS = re.compile(r"__(?:MIN|MAX)$")
ALIKE = 4.0
"""Factor within which the medians of columns of losses lie."""


def proposed(role: str, headers: Sequence[str], cells: Cells) -> str:
    """Return a column or a formula for a role, "" without one.

    headers: those that play no role.   Only columns with numbers are proposed; the user decides.
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
    spoken = [normalised(alias) for alias in (role, *ALIASES.get(role, ())) if len(alias) > 1]
    by_name = {normalised(bare_names(header)[-1]): header for header in free if not is_called(header, EPOCHS)}
    near = [by_name[hit] for alias in spoken for hit in get_close_matches(alias, by_name, n=1, cutoff=0.8)]
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
        is_rate = "per" in normalised(bare).split() or ("/s" in bare and "day" not in bare.casefold())
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
    return normalised(header).replace("/", " ").replace(".", " ").split()


def _is_percent(header: str, cells: Cells) -> bool:
    """Return whether a share is written as 0 … 100: some cell is above 1."""
    numbers = cells.read(header)
    return bool((numbers.values[numbers.kind == Kind.NUMBER] > 1.0).any())


def wide_advice(headers: Sequence[str], cells: Cells, missing: Sequence[str], source: str) -> str:
    """Return how to turn a table without a column of losses that seems to have one per run; nothing where it does not.

    Such a table has one column for the place of a row, a step or a size, and others whose headers have no role, with
    positive numbers of one magnitude.
    """
    columns = [header for header in headers if not SPREADS.search(header)]
    axis = next((header for header in columns if _is_axis(header)), columns[0])
    runs = [header for header in columns if header != axis and normalised(header) not in ("", "column 1")]
    are_sizes = all(_is_size(header) for header in runs)
    if len(runs) < 2 or not (are_sizes or _is_axis(axis)) or any(_is_axis(header) for header in runs):
        return ""
    medians = [_median(header, cells) for header in runs]
    if not (min(medians) > 0 and max(medians) < ALIKE * min(medians)):
        return ""
    is_how_far = _axis_role(axis) in ("tokens", "flops") or (is_called(axis, AXES) and not is_called(axis, EPOCHS))
    name = ("params" if is_how_far else "tokens") if are_sizes else "run"
    kept = WITHOUT_SPREADS if len(columns) < len(headers) else ""
    is_frame = source == "<frame>"
    table = "frame" if is_frame else "pandas.read_csv({!r})".format("FILE" if source.startswith("<") else source)
    line = MELTED.format(table=table, kept=kept, axis=axis, name=name)
    line = line if is_frame else _written(line, source, "long")
    has_units = are_sizes and any(header.strip()[-1:].isalpha() for header in runs)
    then = THEN_UNITS if has_units else "" if are_sizes else THEN_SIZES
    return WIDE.format(
        what=EACH[name], columns=listed([shown(header) for header in runs], limit=4), then=then, line=line
    )


def long_advice(headers: Sequence[str], source: str) -> str:
    """Return how to turn a log of metrics, one number a row, that lacks columns; nothing for another table."""
    names = {normalised(header): header for header in headers}
    run, key, value, step = (
        next((names[name] for name in known if name in names), None) for known in (RUN_NAMES, KEYS, VALUES, STEP_NAMES)
    )
    if run is None or key is None or value is None:
        return ""
    index = [one for one in (run, step) if one is not None]
    is_frame = source == "<frame>"
    table = "frame" if is_frame else "pandas.read_csv({!r})".format("FILE" if source.startswith("<") else source)
    line = PIVOTED.format(table=table, index=index, key=key, value=value)
    return LONG.format(key=shown(key), line=line if is_frame else _written(line, source, "metrics"))


def _written(line: str, source: str, ending: str) -> str:
    """Return the command that writes a frame into a file beside its source."""
    return python_line(WRITTEN.format(melted=line, file=beside(source, ending)))


def _is_axis(header: str) -> bool:
    role = _axis_role(header)
    return role in ("params", "tokens", "flops") or is_called(header, AXES)


def _axis_role(header: str) -> str | None:
    """Return the role of a header, also of one with a unit at its end."""
    return role_of(known_name(header) or without_units(header))


def _is_size(header: str) -> bool:
    cell = np.array([header], dtype=object)
    return bool(numbers(cell, NumberStyle(units=True)).kind[0] == Kind.NUMBER)


def _median(header: str, cells: Cells) -> float:
    """Return the median of a column that holds numbers and nothing but; NaN for any other."""
    read = cells.read(header)
    is_number = read.kind == Kind.NUMBER
    if not is_number.any() or (read.kind == Kind.UNREADABLE).any() or (read.values[is_number] <= 0).any():
        return np.nan
    return float(np.median(read.values[is_number]))
