"""JSON documents against their schemas: which command writes which, and what is none."""

import importlib.util
import json
from importlib.resources import files

FOLDER = files("jaxscale.reports") / "schemas"
NAMES = tuple(sorted(one.name.removesuffix(".json") for one in FOLDER.iterdir()))
WRITTEN = {"bootstrap": "inventory", "merge": "inventory"}
"""Schemas that are not called like the command that writes their documents."""
HAS_SCHEMAS = importlib.util.find_spec("jsonschema") is not None
"""Without that package no document is held against its schema."""
WRONG = ([], {}, "text", 0.5, True)
"""A value of every type but null."""


def schema_of(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def validator_of(schema):
    import jsonschema

    return jsonschema.Draft202012Validator(schema)


def schema_name(words, document):
    """Return the name of the schema of what a command line wrote."""
    if "error" in document:
        return "error"
    if words[0] == "laws":
        return "laws" if "laws" in document else "law"
    if words[0] == "compare" and "--by" in words:
        return "recipes"
    if words[0] == "predict" and "--target-loss" in words:
        return "reach"
    return WRITTEN.get(words[0], words[0])


def assert_kept(name, document):
    """Assert that a document keeps to its schema, and that neither a further key nor a wrong type in it would."""
    if not HAS_SCHEMAS:
        return
    schema = schema_of(name)
    validator_of(schema).validate(document)
    assert not validator_of(schema).is_valid({**document, "unheard": 1})
    for at, part, value in spoilt(schema, document):
        assert not validator_of(part).is_valid(value), at


def spoilt(schema, value, at="$"):
    """Yield a place, its schema and a value that is spoilt there, for each object, entry and number of a document."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    wrong = next((one for one in WRONG if not validator_of({"type": kinds}).is_valid(one)), None) if kinds else None
    if wrong is not None:
        yield at, schema, wrong
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        if others is False:
            yield at, schema, {**value, "unheard": 1}
        for key in schema.get("required", ()):
            yield f"{at}.{key}", schema, {name: one for name, one in value.items() if name != key}
        for key, one in value.items():
            inner = known.get(key, others)
            if isinstance(inner, dict):
                yield from spoilt(inner, one, f"{at}.{key}")
    elif isinstance(value, list) and value and isinstance(schema.get("items"), dict):
        yield from spoilt(schema["items"], value[0], f"{at}[0]")
