"""Pages of laws: all in one table, one with its coefs, units and constants, or all as Markdown.

They are laid out from the documents of laws, so that nothing here needs JAX.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, short
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.text import visible

GIVES = "{target}, to which the table's loss column is mapped: --map loss=COLUMN"
LINEAR = "{gives}; it may be negative: --space linear"

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


class InputDocument(TypedDict):
    """What is known of one input of a law."""

    name: str
    symbol: str
    unit: str
    meaning: str
    low: float | None
    high: float | None


class CoefDocument(TypedDict):
    """What is known of one coef of a law; low, high: of its documented range."""

    name: str
    support: str
    unit: str
    meaning: str
    low: float | None
    high: float | None


class SetDocument(TypedDict):
    """One published set of coefs."""

    name: str
    coefs: Mapping[str, float]
    source: str
    tag: str


class LawDocument(TypedDict):
    """All that is known of a law but its function."""

    name: str
    aliases: Sequence[str]
    equation: str
    inputs: Sequence[str]
    source: str
    measures: Sequence[InputDocument]
    coefs: Sequence[CoefDocument]
    published: Sequence[SetDocument]
    target: str
    space: str
    frontier: str
    fixed_inputs: Sequence[str]
    notes: Sequence[str]


class Family(TypedDict):
    """One file of laws: its name, the sentence that it begins with, and its laws."""

    file: str
    sentence: str
    laws: Sequence[LawDocument]


def print_laws(families: Iterable[Family], console: Console, *, width: int) -> None:
    """Print each law's name and equation under the sentence of its family, and beneath it coefs, inputs and source."""
    for family in families:
        if family["sentence"]:
            console.print(Text(family["sentence"], "bold underline"), width=width)
        console.print(fact_table(map(_listed, family["laws"]), style="bold"), width=width)
        console.print()
    console.print(Text(MORE), width=width)


def _listed(law: LawDocument) -> tuple[str, Text]:
    coefs = ", ".join(coef["name"] for coef in law["coefs"])
    detail = f"coefs {coefs}; inputs {', '.join(law['inputs'])}; {law['source']}"
    return law["name"], Text.assemble(plain(law["equation"] or "no equation"), "\n", plain(detail, "dim"))


def print_law(law: LawDocument, console: Console, *, width: int) -> None:
    """Print one law: its equation, inputs and coefs with units and ranges, published constants, its frontier."""
    facts = [("law", law["name"]), ("equation", law["equation"]), ("gives", gives(law)), ("source", law["source"])]
    facts.append(("frontier", law["frontier"]))
    console.print(fact_table((label, plain(text)) for label, text in facts if text), width=width)
    for headers, rows in ((INPUT_HEADERS, _inputs(law)), (COEF_HEADERS, _coefs(law))):
        console.print()
        console.print(_table([header.casefold() for header in headers], rows, width))
    for constants in law["published"]:
        console.print()
        tag = constants["tag"]
        said = plain(f"  {tag}: {TAGS.get(tag, tag)}", "dim")
        console.print(Text.assemble(("published ", "dim"), plain(constants["name"], "bold"), said), width=width)
        console.print(plain(constants["source"], "dim"), width=width)
        values = [f"{name} {value!r}" for name, value in constants["coefs"].items()]
        console.print(plain("   ".join(values)), width=width)
    if law["notes"]:
        console.print()
        console.print(fact_table(("note", plain(note)) for note in law["notes"]), width=width)


def _inputs(law: LawDocument) -> list[tuple[str, ...]]:
    return [(one["name"], one["symbol"], one["unit"], range_of(one), one["meaning"]) for one in law["measures"]]


def _coefs(law: LawDocument) -> list[tuple[str, ...]]:
    return [(one["name"], one["support"], one["unit"], range_of(one), one["meaning"]) for one in law["coefs"]]


def _table(headers: Sequence[str], rows: Iterable[tuple[str, ...]], width: int) -> Table:
    columns = [Column(one, "" if place else "bold", is_wrapped=one in WRAPPED) for place, one in enumerate(headers)]
    return whole_table(columns, ([text or ABSENT for text in row] for row in rows), width=width, gap=3)


def gives(law: LawDocument) -> str:
    """Return what the law predicts, and how it is fitted, where that is not a positive loss; nothing where it is."""
    target = law["target"]
    said = "" if target == "loss" else GIVES.format(target=target)
    return LINEAR.format(gives=said or target) if law["space"] == "linear" else said


def range_of(measure: InputDocument | CoefDocument) -> str:
    """Return the documented range of an input or a coef, as "1e7 … 3e10"."""
    low, high = (ABSENT if end is None else short(end) for end in (measure["low"], measure["high"]))
    return low if low == high else f"{low} … {high}"


def laws_markdown(families: Sequence[Family]) -> str:
    """Return the page: a table of contents, then a section per file and a part per law; ends with a newline."""
    tags = ", ".join(f"`{tag}` {words}" for tag, words in TAGS.items())
    parts = [HEAD.format(tags=tags), _contents(families)]
    for family in families:
        title, sentence = _title(family["file"]), _markdown(family["sentence"])
        parts.append(SECTION.format(title=title, file=family["file"], sentence=sentence))
        parts += [_markdown_law(law) for law in family["laws"]]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _title(file: str) -> str:
    return file.replace("_", " ").capitalize()


def _contents(families: Iterable[Family]) -> str:
    lines = []
    for family in families:
        file = family["file"]
        links = ", ".join(f"[{law['name']}](#law-{law['name']})" for law in family["laws"])
        lines.append(f"- [{_title(file)}](#{file.replace('_', '-')}): {links}")
    return "\n".join(lines)


def _markdown_law(law: LawDocument) -> str:
    """Return one law under its own anchor, so that a family of the same name does not catch its links."""
    name, coefs = law["name"], [coef["name"] for coef in law["coefs"]]
    parts = [
        f'<a id="law-{name}"></a>\n\n### {name}',
        "```\n" + "\n".join(clause.strip() for clause in law["equation"].split(";")) + "\n```",
        _markdown_table(INPUT_HEADERS, _inputs(law)),
        _markdown_table(COEF_HEADERS, _coefs(law)),
    ]
    if law["published"]:
        parts.append(_markdown_table((*CONSTANTS, *coefs), [_constants(one) for one in law["published"]]))
    if gives(law):
        parts.append(GIVEN.format(what=_markdown(gives(law))))
    parts.append(FRONTIER_FOUND.format(how=_markdown(law["frontier"]).rstrip(".")))
    parts.append(SOURCE.format(source=_markdown(law["source"]).rstrip(".")))
    parts += ["\n".join(f"- {_markdown(note)}" for note in law["notes"])] if law["notes"] else []
    return "\n\n".join(parts)


def _constants(published: SetDocument) -> tuple[str, ...]:
    values = [repr(value) for value in published["coefs"].values()]
    return (published["name"], published["tag"], published["source"], *values)


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
