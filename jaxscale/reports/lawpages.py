"""Laws as people look them up: all of them in one table, or one with its coefs, units and published constants."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.laws import Law
from jaxscale.reports.document import Json
from jaxscale.reports.facts import fact_table
from jaxscale.reports.numbers import significant
from jaxscale.reports.safe import plain


def print_laws(laws: Iterable[Law], console: Console, *, width: int) -> None:
    """Print each law's name and equation, and beneath it the coefs, the inputs and the source."""
    rows = []
    for law in laws:
        detail = f"coefs {', '.join(law.names)}; inputs {', '.join(law.inputs)}; {law.source}"
        equation = plain(law.equation or "no equation")
        rows.append((law.name, Text.assemble(equation, "\n", plain(detail, "dim"))))
    console.print(fact_table(rows, style="bold"), width=width)
    console.print()
    console.print(Text("jaxscale laws NAME shows units, supports and published constants."), width=width)


def print_law(law: Law, console: Console, *, width: int) -> None:
    """Print one law: its equation, inputs, coefs with unit, support and meaning, published constants."""
    facts = [("law", law.name), ("equation", law.equation), ("inputs", ", ".join(law.inputs)), ("source", law.source)]
    console.print(fact_table((label, plain(text)) for label, text in facts if text), width=width)
    console.print()
    console.print(_coefs(law))
    for constants in law.published:
        console.print()
        console.print(Text.assemble(("published ", "dim"), plain(constants.name, "bold")), width=width)
        console.print(plain(constants.source, "dim"), width=width)
        values = "   ".join(f"{name} {significant(v, 6)}" for name, v in zip(law.names, constants.values, strict=True))
        console.print(plain(values), width=width)


def law_document(law: Law) -> dict[str, Json]:
    """Return everything about a law but its function."""
    return {
        "name": law.name,
        "equation": law.equation,
        "inputs": list(law.inputs),
        "source": law.source,
        "coefs": [
            {"name": coef.name, "support": coef.support, "unit": coef.unit, "meaning": coef.meaning}
            for coef in law.coefs
        ],
        "published": [
            {
                "name": constants.name,
                "coefs": dict(zip(law.names, constants.values, strict=True)),
                "source": constants.source,
            }
            for constants in law.published
        ],
    }


def _coefs(law: Law) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 3, 0, 0), header_style="")
    for header in ("coef", "support", "unit", "meaning"):
        table.add_column(header, no_wrap=True, style="bold" if header == "coef" else "")
    for coef in law.coefs:
        table.add_row(*(plain(text or "–") for text in (coef.name, coef.support, coef.unit, coef.meaning)))
    return table
