"""Any number, table and ensemble that may be saved comes back bit for bit."""

import math

import numpy as np
import store_answers as answers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jaxscale.finding import Finding
from jaxscale.results import Certificate, Study
from jaxscale.status import Status
from jaxscale.store import load, save

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
COEFS = st.floats(min_value=0, allow_infinity=True)
"""In the support of Chinchilla's coefs, or at an edge of it."""
WORDS = st.text(st.characters(), max_size=30)  # lone surrogates too


def back(folder, saved):
    return load(save(folder / "out", saved, force=True))


@settings(max_examples=60, deadline=None)
@given(
    value=FLOATS,
    gradient=COEFS | st.just(math.nan),
    condition=st.none() | COEFS,
    coefs=st.lists(COEFS | st.just(math.nan), min_size=5, max_size=5),
    std=st.lists(st.none() | COEFS | st.just(math.nan), min_size=5, max_size=5),
    message=WORDS,
)
def test_every_single_number_comes_back(tmp_path_factory, value, gradient, condition, coefs, std, message):
    first = answers.fit(
        status=Status.STALLED,
        value=value,
        coefs=dict(zip(answers.COEFS, coefs, strict=True)),
        std=dict(zip(answers.COEFS, std, strict=True)),
        certificate=Certificate(gradient, condition, 2, 1),
        findings=(Finding(message, message),),
    )
    assert answers.is_identical(back(tmp_path_factory.mktemp("saved"), first).fit, first)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 9))
def test_every_table_comes_back(tmp_path_factory, data, count):
    column, loss, weight = (arrays.arrays(np.float64, count, elements=of) for of in (FLOATS, POSITIVE, POSITIVE))
    cells = st.lists(WORDS, min_size=count, max_size=count).map(lambda words: answers.texts(*words))
    table = answers.runs(
        columns=data.draw(st.dictionaries(WORDS, column, max_size=4)),
        loss=data.draw(loss),
        weight=data.draw(weight),
        group=data.draw(st.none() | cells),
        labels=data.draw(st.dictionaries(WORDS, cells, max_size=3)),
        row=np.arange(1, count + 1),
    )
    again = back(tmp_path_factory.mktemp("saved"), answers.fit(runs=table)).fit.runs
    assert answers.is_identical(again, table)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), replicates=st.integers(0, 6), budgets=st.integers(0, 4))
def test_every_ensemble_comes_back(tmp_path_factory, data, replicates, budgets):
    column, value = (arrays.arrays(np.float64, replicates, elements=of) for of in (COEFS, FINITE))
    ensemble = answers.ensemble(
        replicates=replicates or 1,
        **(
            {"coefs": {name: data.draw(column) for name in answers.COEFS}, "value": data.draw(value)}
            if replicates
            else {}
        ),
    )
    front = answers.frontier(replicates=len(ensemble), budgets=budgets + 1)
    first = Study(ensemble.fit, ensemble, front)
    assert answers.is_identical(back(tmp_path_factory.mktemp("saved"), first), first)
