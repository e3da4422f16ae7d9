"""survey.npz of a large study: what every part is made from beside the fit, the same bytes for the same study."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.intervals import LikelihoodProfile
from jaxscale.laws import Law
from jaxscale.provenance import Provenance
from jaxscale.refitting import Survey
from jaxscale.results import Ensemble, Fit, Nested
from jaxscale.store.folder import bytes_of_file, place_of
from jaxscale.store.manifest import SURVEY_FILE
from jaxscale.store.packing import packed, unpacked
from jaxscale.store.profiles import verify_profile
from jaxscale.store.promises import verify_ensemble

LARGEST = 1 << 30

OTHER_SURVEY = "{place}: is not the survey that this study was begun with: its SHA-256 is {found}…, not {expected}…"


@dataclass(frozen=True)
class Surveyed:
    """The survey of a fit, and what an ensemble has beside its replicates."""

    survey: Survey
    jackknife: Ensemble | None = None
    nested: Nested | None = None
    profile: LikelihoodProfile | None = None


def timeless(provenance: Provenance) -> Provenance:
    """Return a provenance without seconds and programs, which differ from run to run."""
    return replace(provenance, compile_seconds=0.0, run_seconds=0.0, programs=0)


def survey_bytes(surveyed: Surveyed) -> bytes:
    """Return the bytes of the file, without seconds."""
    left = surveyed.jackknife
    plain = None if left is None else replace(left, provenance=timeless(left.provenance))
    profile = (
        {} if surveyed.profile is None else {"profile": (surveyed.profile, LikelihoodProfile)}
    )  # as of those begun before
    return packed(
        survey=(surveyed.survey, Survey),
        jackknife=(plain, Ensemble | None),
        nested=(surveyed.nested, Nested | None),
        **profile,
    )


def fit_bytes(fit: Fit) -> bytes:
    """Return a fit as bytes, for another process, without seconds."""
    return packed(fit=(replace(fit, provenance=timeless(fit.provenance)), Fit))


def fit_of(data: bytes, own: Mapping[type, tuple]) -> Fit:
    """Return the fit of bytes; raise StoreError for a law that is not known.   own: the user's, by kind."""
    reader, record = unpacked(data, own, "the fit that a worker was sent")
    fit: Fit = reader.field(record, "fit", Fit, common=())
    return fit


def surveyed_of(data: bytes, fit: Fit, own: Mapping[type, tuple], place: str) -> Surveyed:
    """Return what the bytes of the file say of a fit.

    own: the user's specifications, by kind.   place: the file's name, for messages.   Raises StoreError.
    """
    reader, record = unpacked(data, own, place)
    survey: Survey = reader.field(record, "survey", Survey)
    given: dict[str, object] = {"fit": fit, "whole": None, "replicate": None, "law": fit.law, "common": ()}
    jackknife: Ensemble | None = reader.field(record, "jackknife", Ensemble | None, "", **given)
    nested: Nested | None = reader.field(record, "nested", Nested | None)
    profile: LikelihoodProfile | None = (
        reader.field(record, "profile", LikelihoodProfile | None) if "profile" in record else None
    )
    if jackknife is not None:
        verify_ensemble(reader, jackknife, "jackknife")
    if profile is not None:
        verify_profile(reader, profile, (len(fit.law.names),), "profile")
    _check_shapes(survey, fit.law, place)
    return Surveyed(survey, jackknife, nested, profile)


def read_survey(folder: Path, fit: Fit, sha256: str, own: Mapping[type, tuple]) -> tuple[bytes, Surveyed]:
    """Return the bytes of a folder's survey and what they say; raise StoreError unless their SHA-256 is that."""
    data, place = bytes_of_file(folder, SURVEY_FILE, LARGEST), place_of(folder, SURVEY_FILE)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise StoreError(OTHER_SURVEY.format(place=place, found=found[:12], expected=sha256[:12]))
    return data, surveyed_of(data, fit, own, place)


def _check_shapes(survey: Survey, law: Law, place: str) -> None:
    """Raise StoreError for a survey of another law."""
    coefs = len(law.names)
    fits = survey.theta.ndim == 2 and survey.theta.shape[1] == coefs and survey.index.shape == survey.theta.shape[:1]
    if not fits or any(one.stand.shape != (coefs,) for one in survey.bounds):
        raise StoreError(f"{place}: is the survey of another law")
