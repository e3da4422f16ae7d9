"""Findings and provenance: the small records that travel with every answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from jaxscale.finding import Finding
from jaxscale.provenance import Provenance
from jaxscale.store.promises import NOT_NEGATIVE
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json


def written_findings(findings: Iterable[Finding]) -> list[Json]:
    """Return each finding as a record."""
    return [{"code": one.code, "message": one.message, "rows": list(one.rows)} for one in findings]


def findings_of(record: Record) -> tuple[Finding, ...]:
    """Return the field `findings` of a record."""
    return tuple(
        Finding(one.text("code"), one.text("message"), one.counts("rows")) for one in record.children("findings")
    )


def written_provenance(provenance: Provenance) -> dict[str, Json]:
    """Return where a number was made, field by field."""
    return asdict(provenance)


def provenance_of(record: Record) -> Provenance:
    """Return the field `provenance` of a record."""
    made = record.child("provenance")
    return Provenance(
        jaxscale=made.text("jaxscale"),
        jax=made.text("jax"),
        numpy=made.text("numpy"),
        python=made.text("python"),
        backend=made.text("backend"),
        precision=made.text("precision"),
        compile_seconds=made.number("compile_seconds", NOT_NEGATIVE),
        run_seconds=made.number("run_seconds", NOT_NEGATIVE),
        programs=made.count("programs"),
    )
