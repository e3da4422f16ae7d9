"""How many kernels a compiled program launches, read off its optimised HLO, loop by loop."""

from __future__ import annotations

import re
from collections import Counter

SILENT = {
    *("parameter", "constant", "get-tuple-element", "tuple", "bitcast", "optimization-barrier", "after-all"),
    *("while", "conditional", "call", "async-start", "async-update", "async-done", "copy-done", "slice-done"),
}
"""Operations that start nothing on a device by themselves."""

HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
OPERATION = re.compile(r"^ +(?:ROOT )?%?[\w.\-]+ = .*? ([a-z][a-z0-9\-]*)\(")  # types end in no lower-case word and (
INNER = (
    ("loop", re.compile(r"(?:body|condition)=%?([\w.\-]+)")),
    ("branch", re.compile(r"(?:true_computation|false_computation)=%?([\w.\-]+)")),
    ("branch", re.compile(r"branch_computations=\{([^}]*)\}")),
    ("", re.compile(r"(?:to_apply|calls)=%?([\w.\-]+)")),
)


def count(text: str) -> dict[str, dict[str, int]]:
    """Return how often each operation that is a launch occurs, by place: `once`, `once/loop`, `once/loop/branch` …

    text: `compiled.as_text()`, whose every operation outside a fusion is one kernel or one copy on a GPU.   A loop's
    numbers are those of one turn, its condition included; branches of one place are added up, although one is taken.
    """
    bodies, entry = _computations(text)
    found: dict[str, Counter[str]] = {}
    _walk(bodies, entry, "once", found)
    return {place: dict(sorted(operations.items())) for place, operations in found.items()}


def _computations(text: str) -> tuple[dict[str, list[str]], str]:
    """Return the lines of each computation by its name, and the name of the entry."""
    bodies: dict[str, list[str]] = {}
    entry = name = ""
    for line in text.splitlines():
        if head := HEAD.match(line):
            name = head[2]
            bodies[name] = []
            entry = name if head[1] else entry
        elif name:
            bodies[name].append(line)
    return bodies, entry


def _walk(bodies: dict[str, list[str]], name: str, place: str, found: dict[str, Counter[str]]) -> None:
    """Count the operations of a computation, and of those that it runs, into `found`."""
    counted = found.setdefault(place, Counter())
    for line in bodies[name]:
        operation = OPERATION.match(line)
        if operation is None:
            continue
        if operation[1] not in SILENT:
            counted[operation[1]] += 1
        if operation[1] not in ("while", "conditional", "call"):
            continue
        for step, pattern in INNER:
            for match in pattern.findall(line):
                for inner in re.findall(r"[\w.\-]+", match):
                    _walk(bodies, inner, f"{place}/{step}" if step else place, found)
