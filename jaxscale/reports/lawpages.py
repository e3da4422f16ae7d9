"""Pages of laws: all in one table, one with its coefs, units and constants, or all as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import TRAINING, cost_under, fixed_inputs
from jaxscale.digits import ABSENT, short
from jaxscale.laws import FILES, Coef, Input, Law, Published
from jaxscale.reports.document import number
from jaxscale.reports.facts import fact_table, plain
from jaxscale.reports.tables import Column, whole_table
from jaxscale.text import Json, visible

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

WRAPPED = ("unit", "meaning")
"""Columns of words, which give way where a page is narrow."""
MORE = "jaxscale laws NAME shows units, supports and published constants; --search WORDS finds laws by what they say."

HEAD = """# Laws

Every law that ships with jaxscale, with the symbols of its paper. Written by `jaxscale laws --markdown`; do not edit
it by hand. A family is one file of this folder.

- **Range** is the documented one, in which `python -m benchmarks recovery` tries whether noise-free runs give the coefs
  back.
- **Support** is where a coef may lie: `positive` above zero, `unit` between zero and one, `real` anywhere.
- **Tag** says how well published constants are verified:
  {tags}.
- Loss is in nats per token, C in FLOP; `N`, `D`, `C` are params, tokens and flops.
"""
SECTION = "## {title}\n\n[`{file}.py`]({file}.py): {sentence}"
GIVEN = "**Gives:** {what}."
FRONTIER_FOUND = "**Frontier:** {how}."
SOURCE = "**Source:** {source}."
INPUT_HEADERS = ("Input", "Symbol", "Unit", "Range", "Meaning")
COEF_HEADERS = ("Coef", "Support", "Unit", "Range", "Meaning")
CONSTANTS = ("Published", "Tag", "Source")
NOTHING = "–"


def print_laws(laws: Iterable[Law] | None, console: Console, *, width: int) -> None:
    """Print each law's name and equation, and beneath it the coefs, the inputs and the source.

    laws: in this order, without headings; None for all that ship, under the heading of their family.
    """
    families = _files() if laws is None else [("", "", list(laws))]
    for _, heading, family in families:
        if heading:
            console.print(Text(heading, "bold underline"), width=width)
        console.print(fact_table(map(_listed, family), style="bold"), width=width)
        console.print()
    console.print(Text(MORE), width=width)


def _listed(law: Law) -> tuple[str, Text]:
    detail = f"coefs {', '.join(law.names)}; inputs {', '.join(law.inputs)}; {law.source}"
    return law.name, Text.assemble(plain(law.equation or "no equation"), "\n", plain(detail, "dim"))


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


def laws_markdown() -> str:
    """Return the page: a table of contents, then a section per file and a part per law; ends with a newline."""
    families = list(_files())
    tags = ", ".join(f"`{tag}` {words}" for tag, words in TAGS.items())
    parts = [HEAD.format(tags=tags), _contents(families)]
    for file, sentence, laws in families:
        parts.append(SECTION.format(title=_title(file), file=file, sentence=_markdown(sentence)))
        parts += [_markdown_law(law) for law in laws]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _files() -> Iterator[tuple[str, str, Sequence[Law]]]:
    """Yield the name of each file of laws, the first sentence of its docstring, and its laws."""
    for file in FILES:
        module = import_module(f"jaxscale.laws.{file}")
        yield file, (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "), module.LAWS


def _title(file: str) -> str:
    return file.replace("_", " ").capitalize()


def _contents(families: Iterable[tuple[str, str, Sequence[Law]]]) -> str:
    lines = []
    for file, _, laws in families:
        links = ", ".join(f"[{law.name}](#law-{law.name})" for law in laws)
        lines.append(f"- [{_title(file)}](#{file.replace('_', '-')}): {links}")
    return "\n".join(lines)


def _markdown_law(law: Law) -> str:
    """Return one law under its own anchor, so that a family of the same name does not catch its links."""
    inputs = [(one.name, one.symbol, one.unit, range_of(one), one.meaning) for one in map(law.input, law.inputs)]
    coefs = [(one.name, one.support, one.unit, range_of(one), one.meaning) for one in law.coefs]
    parts = [
        f'<a id="law-{law.name}"></a>\n\n### {law.name}',
        "```\n" + "\n".join(clause.strip() for clause in law.equation.split(";")) + "\n```",
        _markdown_table(INPUT_HEADERS, inputs),
        _markdown_table(COEF_HEADERS, coefs),
    ]
    if law.published:
        parts.append(_markdown_table((*CONSTANTS, *law.names), [_constants(one) for one in law.published]))
    if gives(law):
        parts.append(GIVEN.format(what=_markdown(gives(law))))
    parts.append(FRONTIER_FOUND.format(how=_markdown(how_found(law)).rstrip(".")))
    parts.append(SOURCE.format(source=_markdown(law.source).rstrip(".")))
    parts += ["\n".join(f"- {_markdown(note)}" for note in law.notes)] if law.notes else []
    return "\n\n".join(parts)


def _constants(published: Published) -> tuple[str, ...]:
    return (published.name, published.tag, published.source, *value_texts(published))


def _markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column and numbers are code, so that no name is read as markup."""
    lines = [_markdown_line(headers), _markdown_line(["---"] * len(headers))]
    lines += [_markdown_line([f"`{row[0]}`", *(_markdown(cell) or NOTHING for cell in row[1:])]) for row in rows]
    return "\n".join(lines)


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _markdown(text: str) -> str:
    """Return text in which Markdown sees no markup: names such as alpha_N and products such as a*b stay whole."""
    return "".join(f"\\{mark}" if mark in "*_<[]`" else mark for mark in visible(text))
