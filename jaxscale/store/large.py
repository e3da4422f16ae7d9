"""A large study read: the ensemble of the parts that are there, whose coefs stay in their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.finding import Finding
from jaxscale.refitting.gather import findings_of_ensemble
from jaxscale.resampling import Tables
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.status import Status
from jaxscale.store.folder import place_of
from jaxscale.store.frontiers import frontier_in
from jaxscale.store.manifest import MANIFEST, Manifest, check_same, read_manifest, rows_there, study_facts
from jaxscale.store.parts import CoefsInParts, Columns, check_parts
from jaxscale.store.surveys import Surveyed, read_survey
from jaxscale.studying import with_frontiers
from jaxscale.text import counted

PARTS_MISSING = (
    "{there:,} of {asked:,} replicates are there, and bands are those of these; jaxscale bootstrap makes the rest, "
    "{parts}"
)
NOT_STATUSES = "{place}: one of its parts holds a status that there is none of, so it was not written by jaxscale"


def with_parts(folder: Path, study: Study, own: Mapping[type, tuple]) -> Study:
    """Return the study of a folder with the ensemble of its parts, verified; without one where there are no parts yet.

    Its frontiers are those of the parts.   own: the user's specifications, by kind.   Raises StoreError for a part, a
    survey or a manifest that is damaged.
    """
    manifest = read_manifest(folder)
    check_same(place_of(folder.parent, folder.name), manifest.study, study_facts(study.fit, {}, {}))
    if not manifest.parts:
        return study
    check_parts(folder, manifest.parts)
    _, surveyed = read_survey(folder, study.fit, str(manifest.study["survey"]), own)
    whole = replace(study, ensemble=ensemble_in(folder, manifest, study.fit, surveyed))
    if study.frontier is None:
        return with_frontiers(replace(whole, groups={})) if study.groups else whole
    if not is_by_parts(study, manifest):
        return with_frontiers(replace(whole, frontier=None))
    columns = Columns(folder, manifest.parts, len(study.fit.law.names), has_covariance=False)
    return replace(whole, frontier=frontier_in(folder, columns, study.fit, study.frontier))


def is_by_parts(begun: Study, manifest: Manifest) -> bool:
    """Return whether the frontier of a study is kept by parts: for one law, and percentiles of the replicates alone."""
    is_plain = not any(manifest.study.get(name) for name in ("covariance", "jackknife", "nested", "profile"))
    return is_plain and begun.frontier is not None and not begun.groups


def ensemble_in(folder: Path, manifest: Manifest, fit: Fit, surveyed: Surveyed) -> Ensemble:
    """Return the ensemble of the parts that a manifest names, which are not verified; it needs the files to stay."""
    columns = Columns(folder, manifest.parts, len(fit.law.names), bool(manifest.study["covariance"]))
    small, survey = columns.small(), surveyed.survey
    counted = np.bincount(small["status"].view(np.uint8), minlength=256)
    if counted.sum() != sum(counted[int(one)] for one in Status):
        raise StoreError(NOT_STATUSES.format(place=place_of(folder, MANIFEST)))
    assert not isinstance(survey.fitted, Tables)  # whose refits are no ensemble of one table
    made = Ensemble(
        fit=fit,
        scheme=survey.scheme,
        seed=int(survey.seed),
        coefs=CoefsInParts(fit.law.names, columns),
        value=small["value"],
        status=small["status"],
        steps=small["steps"],
        findings=(),
        provenance=replace(fit.provenance, backend=_backends(manifest), compile_seconds=0.0, run_seconds=0.0),
        without={name: is_open for name, is_open in zip(fit.law.names, small["is_open"], strict=True) if is_open.any()},
        fitted=survey.fitted,
        covariance=columns.whole("covariance") if columns.has_covariance else None,
        jackknife=surveyed.jackknife,
        nested=surveyed.nested,
        profile=surveyed.profile,
        replicate=rows_there(manifest),
    )  # fmt: skip
    return replace(made, findings=(*findings_of_ensemble(made), *_missing(manifest)))


def _missing(manifest: Manifest) -> tuple[Finding, ...]:
    """Return the finding of a study of which not all parts are there."""
    missing = len(manifest.missing())
    words = {"there": manifest.there, "asked": manifest.asked, "parts": counted(missing, "part")}
    return (Finding("parts-missing", PARTS_MISSING.format(**words)),) if missing else ()


def _backends(manifest: Manifest) -> str:
    """Return the platforms that the parts were computed on."""
    return ", ".join(sorted({part.backend for part in manifest.parts}))
