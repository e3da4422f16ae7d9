"""The directive `schema-table`: the keys of a JSON Schema of the package, one row each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCHEMAS = Path(__file__).parents[2] / "jaxscale" / "reports" / "schemas"
HEAD = ("key", "type", "always there", "meaning")


def keys_of(schema: dict, at: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield key, type, whether it is required and what it is, of every key of a schema, nested ones after theirs."""
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        key = f"{at}.{name}" if at else name
        yield key, type_of(inner), "yes" if name in required else "", inner.get("description", "")
        yield from keys_of(inner, key)
        yield from keys_of(inner.get("items") or {}, f"{key}[]")
        if isinstance(others := inner.get("additionalProperties"), dict):
            yield from keys_of(others, f"{key}.NAME")


def type_of(schema: dict) -> str:
    """Return the type of a value in words, `null or number`, or its only value."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(one) for one in schema["enum"])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(one) for one in options))
    named = schema.get("type", "any value")
    text = " or ".join(named) if isinstance(named, list) else named
    if text == "array" and schema.get("items"):
        return f"array of {type_of(schema['items'])}"
    return text


class SchemaTable(SphinxDirective):
    """`{schema-table} fit`: a table of the keys of `fit.json`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table; the page is read again where the schema changes."""
        path = SCHEMAS / f"{self.arguments[0]}.json"
        self.env.note_dependency(str(path))
        rows = list(keys_of(json.loads(path.read_text(encoding="utf-8"))))
        group = nodes.tgroup(cols=len(HEAD))
        group += [nodes.colspec(colwidth=width) for width in (5, 2, 1, 5)]
        group += nodes.thead("", self.row([nodes.Text(word) for word in HEAD]))
        body = nodes.tbody("")
        body += [self.row([nodes.literal(row[0], row[0]), *map(nodes.Text, row[1:])]) for row in rows]
        group += body
        return [nodes.table("", group)]

    def row(self, cells: list[nodes.Node]) -> nodes.row:
        """Return a row of cells of one paragraph each."""
        made = nodes.row()
        made += [nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells]
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("schema-table", SchemaTable)
    return {"parallel_read_safe": True}
