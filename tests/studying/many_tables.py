"""Three small tables for tests of many studies, of which one is too short for any fit, and what two studies share."""

import importlib

import numpy as np

import jaxscale as js
from jaxscale.reports import fit_document

FLOPS = np.geomspace(1e17, 1e21, 20)
LAW, LACKING, REPLICATES = "pure-power", "data-constrained", 30
ASKED = {"replicates": REPLICATES, "seed": 7, "budgets": [1e22, 1e24], "level": 0.8}
OBJECTIVES = [js.huber(), js.huber(0.01)]  # which share their programs
KEPT = [f"{table}-pure-power-huber{more}" for table in ("books", "web") for more in ("", "-0.01")]
MANY = importlib.import_module("jaxscale.parts.studies")  # whose name the function has in its package


def one_table(scale, seed, rows=20):
    loss = scale * FLOPS[:rows] ** -0.05 * np.exp(0.001 * np.random.default_rng(seed).standard_normal(rows))
    return js.Runs.from_arrays(flops=FLOPS[:rows], loss=loss)


def three_tables():
    return {"books": one_table(20.0, 1), "web": one_table(26.0, 2, rows=18), "short": one_table(20.0, 3, rows=1)}


def assert_same(one, other):
    """Both are the same computation to the bit; what it took, and where, apart."""
    documents = [fit_document(study) for study in (one, other)]
    for document in documents:
        del document["provenance"]
    assert documents[0] == documents[1]
    assert (one.ensemble is None) == (other.ensemble is None)
    if one.ensemble is not None:
        for name in one.fit.coefs:
            np.testing.assert_array_equal(one.ensemble.coefs[name], other.ensemble.coefs[name])
        for name in ("value", "status", "steps"):
            np.testing.assert_array_equal(getattr(one.ensemble, name), getattr(other.ensemble, name))
    if one.frontier is not None:
        np.testing.assert_array_equal(one.frontier.params, other.frontier.params)
        np.testing.assert_array_equal(one.frontier.loss, other.frontier.loss)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
