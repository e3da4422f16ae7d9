"""What the tests of large studies share: one small fit, its replicates in memory, and a folder of it in parts."""

import numpy as np
import pytest
from large_studies import PART, REPLICATES

import jaxscale as js
from jaxscale.parts import solving, surveying
from jaxscale.refitting.starting import REFITTING
from jaxscale.stages import SILENT

REMEMBERED = {}


@pytest.fixture(scope="session")
def small_fit():
    columns = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
    return js.fit(runs, "pure-power-params")


@pytest.fixture(scope="session")
def whole(small_fit):
    return js.bootstrap(small_fit, replicates=REPLICATES, seed=7)


@pytest.fixture(scope="session")
def begin(small_fit):
    """Return a function that works on a folder of the small study."""

    def work(folder, replicates=REPLICATES, **options):
        return js.bootstrap(small_fit, replicates=replicates, seed=7, folder=folder, **{"part": PART, **options})

    return work


@pytest.fixture(scope="session")
def uninterrupted(begin, tmp_path_factory):
    """The folder of the whole study, made in one go; not to be written to."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "study"
    begin(folder)
    return folder


@pytest.fixture
def remembered(monkeypatch):
    """Solve each survey and each range of replicates once: both are pure, and these tests are of files."""
    kept = REMEMBERED
    survey_of, solved = surveying.survey_of, solving.Bench.solved

    def survey_once(setup, clock, told):
        key = (setup.job.scheme.name, setup.job.seed)
        if key not in kept:
            kept[key] = survey_of(setup, clock, told)
        return kept[key]

    def solved_once(bench, rows, told=SILENT):
        key = (bench.survey.scheme.name, bench.survey.seed, bench.covariance, rows)
        if key not in kept:
            kept[key] = solved(bench, rows)
        told.begin(REFITTING, len(rows))
        told.done(len(rows))
        return kept[key]

    monkeypatch.setattr(surveying, "survey_of", survey_once)
    monkeypatch.setattr(solving.Bench, "solved", solved_once)
