"""Laws as people look them up: all of them in one table, or one with its coefs, units and published constants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import TRAINING, cost_under, fixed_inputs
from jaxscale.digits import ABSENT, short
from jaxscale.laws import LAWS, Coef, Input, Law, Published
from jaxscale.laws.words import WORDS
from jaxscale.reports.document import Json, number
from jaxscale.reports.facts import fact_table, plain
from jaxscale.reports.tables import Column, whole_table

SEARCHED = "numerically on {price}, in ln N"
OWN_PRICE = "the law's own price of a param per token"
USUAL_PRICE = "C = 6 N D"
AT_OWN = f"at {OWN_PRICE}"
ALONG = "the loss at each budget; the law does not split it"
NONE = "none: the law does not say how a budget is best spent"
GIVES = "{target}, to which the table's loss column is mapped: --map loss=COLUMN"
LINEAR = "{gives}; it may be negative: --space linear"
FIXING = "{how}; with {names} fixed (--at)"

TAGS = {
    "paper": "read in the paper",
    "code": "read in its authors' code",
    "second-hand": "read in notes by others",
    "refit": "refitted from its data",
}
"""Tags of published sets, in words."""

LEAST_LETTERS = 3
"""Below this many letters a word is no part of another, as lr is none of already."""
WRAPPED = ("unit", "meaning")
"""Columns of words, which give way where a page is narrow."""
MORE = "jaxscale laws NAME shows units, supports and published constants; --search WORDS finds laws by what they say."


def matching(laws: Iterable[Law], words: str) -> list[Law]:
    """Return the laws of which every one of the words is said in `law_document` or among `WORDS`, best matches first.

    In any case, with and without hyphens, in the plural or not, in British or American spelling. First come those that
    people call so.
    """
    wanted = _spelled(words)
    called, said = [], []
    for law in laws:
        names = [law.name, *WORDS.get(law.name, ()), *(one for one, name in LAWS.aliases.items() if name == law.name)]
        of_page = " ".join(str(part) for part in _leaves(law_document(law)))
        text = _spelled(" ".join((of_page, *names)))
        text += " " + text.replace(" ", "")  # over-training is overtraining
        if any(wanted in _spelled(name) for name in names):
            called.append(law)
        elif all(_stands(word, text) for word in wanted.split()):
            said.append(law)
    return [*called, *said]


def _spelled(text: str) -> str:
    """Return text in small letters, American spelling and single spaces, without hyphens."""
    plain_words = re.sub(r"[-_\s]+", " ", text.casefold()).strip()
    return re.sub(r"is(ation|ed|er|ers|ing)\b", r"iz\1", plain_words)


def _stands(word: str, text: str) -> bool:
    """Return whether a word, or its singular, stands in a text; a short one only as a word of its own."""
    if len(word) < LEAST_LETTERS:
        return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
    return word in text or (word.endswith("s") and word[:-1] in text)


def _leaves(document: Json) -> Iterator[Json]:
    """Return every text and number of a document, without its names and what is absent."""
    if isinstance(document, dict):
        document = list(document.values())
    for one in document if isinstance(document, list) else ():
        yield from _leaves(one)
    if not isinstance(document, list) and document is not None:
        yield document


def print_laws(laws: Iterable[Law], console: Console, *, width: int) -> None:
    """Print each law's name and equation, and beneath it the coefs, the inputs and the source."""
    rows = []
    for law in laws:
        detail = f"coefs {', '.join(law.names)}; inputs {', '.join(law.inputs)}; {law.source}"
        equation = plain(law.equation or "no equation")
        rows.append((law.name, Text.assemble(equation, "\n", plain(detail, "dim"))))
    console.print(fact_table(rows, style="bold"), width=width)
    console.print()
    console.print(Text(MORE), width=width)


def print_law(law: Law, console: Console, *, width: int) -> None:
    """Print one law: its equation, inputs and coefs with units and ranges, published constants, its frontier."""
    facts = [("law", law.name), ("equation", law.equation), ("gives", gives(law)), ("source", law.source)]
    facts.append(("frontier", how_found(law)))
    console.print(fact_table((label, plain(text)) for label, text in facts if text), width=width)
    for table in (_inputs(law, width), _coefs(law, width)):
        console.print()
        console.print(table)
    for constants in law.published:
        console.print()
        said = plain(f"  {constants.tag}: {TAGS.get(constants.tag, constants.tag)}", "dim")
        console.print(Text.assemble(("published ", "dim"), plain(constants.name, "bold"), said), width=width)
        console.print(plain(constants.source, "dim"), width=width)
        values = zip(law.names, value_texts(constants), strict=True)
        console.print(plain("   ".join(f"{name} {value}" for name, value in values)), width=width)
    if law.notes:
        console.print()
        console.print(fact_table(("note", plain(note)) for note in law.notes), width=width)


def law_document(law: Law) -> dict[str, Json]:
    """Return everything about a law but its function."""
    return {
        "name": law.name,
        "equation": law.equation,
        "inputs": list(law.inputs),
        "source": law.source,
        "measures": [_written_input(measure) for measure in map(law.input, law.inputs)],
        "coefs": [
            {
                "name": coef.name,
                "support": coef.support,
                "unit": coef.unit,
                "meaning": coef.meaning,
                "low": number(coef.range[0]),
                "high": number(coef.range[1]),
            }
            for coef in law.coefs
        ],
        "published": [
            {
                "name": constants.name,
                "coefs": dict(zip(law.names, constants.values, strict=True)),
                "source": constants.source,
                "tag": constants.tag,
            }
            for constants in law.published
        ],
        "target": law.target,
        "space": law.space,
        "frontier": how_found(law),
        "fixed_inputs": list(fixed_inputs(law)) if has_frontier(law) else [],
        "notes": list(law.notes),
    }


def _written_input(measure: Input) -> dict[str, Json]:
    return {
        "name": measure.name,
        "symbol": measure.symbol,
        "unit": measure.unit,
        "meaning": measure.meaning,
        "low": number(measure.low),
        "high": number(measure.high),
    }


def _inputs(law: Law, width: int) -> Table:
    rows = [(one.name, one.symbol, one.unit, range_of(one), one.meaning) for one in map(law.input, law.inputs)]
    return _table(("input", "symbol", "unit", "range", "meaning"), rows, width)


def _coefs(law: Law, width: int) -> Table:
    rows = [(coef.name, coef.support, coef.unit, range_of(coef), coef.meaning) for coef in law.coefs]
    return _table(("coef", "support", "unit", "range", "meaning"), rows, width)


def _table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]], width: int) -> Table:
    columns = [Column(one, "" if place else "bold", is_wrapped=one in WRAPPED) for place, one in enumerate(headers)]
    return whole_table(columns, ([text or ABSENT for text in row] for row in rows), width=width, gap=3)


def headline_of(law: Law) -> str:
    """Return what a law's frontier is, and which C its budgets are."""
    if not can_allocate(law):
        return "Loss by budget"
    return f"Efficient frontier, {USUAL_PRICE if cost_under(law) is TRAINING else AT_OWN}"


def how_found(law: Law) -> str:
    """Return how the law's frontier is found, and what the law adds to that; why it has none, where it has none."""
    fixed = fixed_inputs(law)
    if not can_allocate(law):
        how = law.frontier or (ALONG if has_frontier(law) else NONE)
        return FIXING.format(how=how, names=", ".join(fixed)) if fixed and has_frontier(law) else how
    how = SEARCHED.format(price=USUAL_PRICE if cost_under(law) is TRAINING else OWN_PRICE)
    how = FIXING.format(how=how, names=", ".join(fixed)) if fixed else how
    return f"{how}; {law.frontier}" if law.frontier else how


def gives(law: Law) -> str:
    """Return what the law predicts, and how it is fitted, where that is not a positive loss; nothing where it is."""
    said = "" if law.target == "loss" else GIVES.format(target=law.target)
    return LINEAR.format(gives=said or law.target) if law.space == "linear" else said


def range_of(measure: Input | Coef) -> str:
    """Return the documented range of an input or a coef, as "1e7 … 3e10"."""
    low, high = (measure.low, measure.high) if isinstance(measure, Input) else measure.range
    return short(low) if low == high else f"{short(low)} … {short(high)}"


def value_texts(published: Published) -> list[str]:
    """Return the values of a published set at full precision, in the law's order."""
    return [repr(float(value)) for value in published.values]
