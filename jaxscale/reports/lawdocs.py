"""One page of Markdown on all laws, written from the registry and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from jaxscale.laws import FILES, Law, Published
from jaxscale.reports.lawpages import TAGS, gives, how_found, range_of, value_texts
from jaxscale.text import visible

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
GIVES = "**Gives:** {what}."
FRONTIER = "**Frontier:** {how}."
SOURCE = "**Source:** {source}."
INPUTS = ("Input", "Symbol", "Unit", "Range", "Meaning")
COEFS = ("Coef", "Support", "Unit", "Range", "Meaning")
CONSTANTS = ("Published", "Tag", "Source")
NOTHING = "–"


def laws_markdown() -> str:
    """Return the page: a table of contents, then a section per file and a part per law; ends with a newline."""
    families = list(_families())
    tags = ", ".join(f"`{tag}` {words}" for tag, words in TAGS.items())
    parts = [HEAD.format(tags=tags), _contents(families)]
    for file, sentence, laws in families:
        parts.append(SECTION.format(title=_title(file), file=file, sentence=_text(sentence)))
        parts += [_law(law) for law in laws]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _families() -> Iterator[tuple[str, str, Sequence[Law]]]:
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


def _law(law: Law) -> str:
    """Return one law under its own anchor, so that a family of the same name does not catch its links."""
    inputs = [(one.name, one.symbol, one.unit, range_of(one), one.meaning) for one in map(law.input, law.inputs)]
    coefs = [(one.name, one.support, one.unit, range_of(one), one.meaning) for one in law.coefs]
    parts = [
        f'<a id="law-{law.name}"></a>\n\n### {law.name}',
        "```\n" + "\n".join(clause.strip() for clause in law.equation.split(";")) + "\n```",
        _table(INPUTS, inputs),
        _table(COEFS, coefs),
    ]
    if law.published:
        parts.append(_table((*CONSTANTS, *law.names), [_constants(one) for one in law.published]))
    if gives(law):
        parts.append(GIVES.format(what=_text(gives(law))))
    parts.append(FRONTIER.format(how=_text(how_found(law)).rstrip(".")))
    parts.append(SOURCE.format(source=_text(law.source).rstrip(".")))
    parts += ["\n".join(f"- {_text(note)}" for note in law.notes)] if law.notes else []
    return "\n\n".join(parts)


def _constants(published: Published) -> tuple[str, ...]:
    return (published.name, published.tag, published.source, *value_texts(published))


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column and numbers are code, so that no name is read as markup."""
    lines = [_line(headers), _line(["---"] * len(headers))]
    lines += [_line([f"`{row[0]}`", *(_text(cell) or NOTHING for cell in row[1:])]) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(text: str) -> str:
    """Return text in which Markdown sees no markup: names such as alpha_N and products such as a*b stay whole."""
    return "".join(f"\\{mark}" if mark in "*_<[]`" else mark for mark in visible(text))
