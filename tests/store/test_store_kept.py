"""Results that were saved before: those of this schema are read and still give their numbers, others are refused."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import StoreError
from jaxscale.fitting.checking import recomputed
from jaxscale.store.folder import SCHEMA_VERSION
from jaxscale.store.manifest import VERSION

KEPT = Path(__file__).parent / "kept"
"""A study of the shipped pilot for each schema, by its version, and large ones in two parts by that of the manifest."""


def assert_whole(ensemble):
    """Assert that the coefs of usable replicates give their objectives, on the tables that their draws make."""
    fit, usable = ensemble.fit, np.flatnonzero(ensemble.usable)
    coefs = np.stack([ensemble.coefs[name][usable] for name in fit.law.names], axis=1)
    again = recomputed(fit.law, fit.objective, fit.runs, coefs, ensemble.weights(usable))
    assert len(usable) > 0.9 * len(ensemble)
    np.testing.assert_allclose(again, ensemble.value[usable], rtol=1e-9)


def test_a_study_of_this_schema_is_read():
    study = js.load(KEPT / f"version-{SCHEMA_VERSION}")
    assert_whole(study.ensemble)
    point = study.frontier.point
    again = js.predict(study.fit, params=point.params, tokens=point.tokens)
    np.testing.assert_allclose(again, point.loss, rtol=1e-9)
    assert study.interval.name == "bca"
    assert study.ensemble.interval("alpha", method="bca").n_used > 0


@pytest.mark.parametrize("version", range(3, SCHEMA_VERSION))
def test_one_of_a_schema_before_is_refused_with_its_reason(version):
    with pytest.raises(StoreError, match=f"has schema version {version}, of an older jaxscale"):
        js.load(KEPT / f"version-{version}")


def test_a_large_study_is_read_from_its_parts(tmp_path):
    study = js.load(copytree(KEPT / f"large-{VERSION}", tmp_path / "large"))
    assert len(study.ensemble) == 100
    assert_whole(study.ensemble)


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_large_study_begun_before_is_refused_with_its_reason(tmp_path, version):
    with pytest.raises(StoreError, match=f"has schema version .{version}., and this jaxscale reads version {VERSION}"):
        js.load(copytree(KEPT / f"large-{version}", tmp_path / "large"))
