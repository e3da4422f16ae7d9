"""What tests of many studies in a folder share: three tables, and studies that are solved once."""

import pytest
from many_tables import ASKED, LAW, MANY, OBJECTIVES, content, three_tables

import jaxscale as js
from jaxscale.parts import batches
from jaxscale.results.studies import name_of_objective
from jaxscale.studying import batch


@pytest.fixture(scope="module")
def tables():
    return three_tables()


@pytest.fixture(scope="module")
def answers():
    """What each request was answered before: a study is a pure function of its table and its request."""
    return {}


@pytest.fixture
def made(answers, monkeypatch):
    """The names of the tables and objectives that a call makes studies of."""
    names, own = [], batch.studied

    def once(runs, request, device):
        key = (runs.loss.tobytes(), request.law.name, name_of_objective(request.objective), request.seed)
        names.append((len(runs), request.law.name, name_of_objective(request.objective)))
        if key not in answers:
            answers[key] = own(runs, request, device)
        return answers[key]

    for module in (batches, MANY):
        monkeypatch.setattr(module, "studied", once)
    return names


@pytest.fixture
def work(tables, made):
    """Return a function that makes the studies, or those that are left, in a folder."""

    def begin(folder, **options):
        return js.studies(tables, [LAW], objectives=OBJECTIVES, folder=folder, **{**ASKED, **options})

    return begin


@pytest.fixture
def whole(work, tmp_path, made):
    """The content of a folder that was made in one go, and what was returned."""
    found = work(tmp_path / "whole")
    made.clear()
    return content(tmp_path / "whole"), found
