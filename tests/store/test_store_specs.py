"""Laws, objectives and schemes are saved by name: what does not ship must be given back, and must be the same."""

import dataclasses

import numpy as np
import pytest
import store_answers as answers
from store_damage import edited

from jaxscale.errors import StoreError
from jaxscale.fitting import fit as fit_law
from jaxscale.laws import LAWS, Coef, Law, predict_with
from jaxscale.objectives import huber
from jaxscale.refitting import resample
from jaxscale.resampling.pairs import SCHEME as PAIRS
from jaxscale.runs import Runs
from jaxscale.store import load, save


def mine(params, *, E, A):
    return E + A / params


def other(params, *, E, A):
    return E + A / params**2


def nearly(params, *, E, A):
    return 1.00001 * mine(params, E=E, A=A)


LAW = Law("mine", mine, ("params",), (Coef("E"), Coef("A")))
RUNS = Runs.from_arrays(params=[1.0, 2.0, 4.0, 8.0], loss=[3.01, 2.49, 2.26, 2.12])


def fitted(law=LAW, space="log"):
    coefs = {"E": 2.0, "A": 1.0}
    predicted, loss = mine(RUNS["params"], **coefs), RUNS.loss
    residuals = np.log(predicted / loss) if space == "log" else predicted - loss
    by_hand = {"coefs": coefs, "residuals": residuals, "std": {}, "fixed": ()}
    certificate = answers.Certificate(0.0, 1.0, 1, 1)
    return answers.fit(law=law, runs=RUNS, objective=huber(space=space), certificate=certificate, **by_hand)


def refusal(folder, **own):
    with pytest.raises(StoreError) as refused:
        load(folder, **own)
    assert 1 <= len(str(refused.value).splitlines()) <= 3
    return str(refused.value)


@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_every_shipped_law_comes_back_as_itself(tmp_path, law):
    coefs = dict.fromkeys(law.names, 0.5)
    first = answers.fit(law=law, coefs=coefs, std={}, fixed=(), certificate=answers.Certificate(0.0, 1.0, 1, 1))
    assert load(save(tmp_path / "out", first)).fit.law is law


@pytest.mark.parametrize("space", ["log", "linear"])
def test_a_law_of_the_users_comes_back_when_it_is_given(tmp_path, space):
    first = fitted(space=space)
    assert answers.is_identical(load(save(tmp_path / "out", first), laws=(LAW,)).fit, first)


def test_a_real_fit_of_a_law_of_the_users_comes_back_when_it_is_given(tmp_path):
    ensemble = resample(fit_law(RUNS, LAW), replicates=5)
    again = load(save(tmp_path / "out", ensemble), laws=(LAW,))
    assert again.fit.law is LAW
    assert answers.is_identical(again.ensemble, ensemble)
    np.testing.assert_allclose(
        predict_with(again.fit.law, again.fit.coefs, {"params": 3.0}), mine(3.0, **ensemble.fit.coefs)
    )


def test_a_law_of_the_users_that_is_not_given_is_named_with_what_to_do(tmp_path):
    message = refusal(save(tmp_path / "out", fitted()))
    assert "'mine'" in message
    assert "laws=(…,)" in message


@pytest.mark.parametrize(
    ("law", "part"),
    [
        (Law("mine", lambda tokens, *, E, A: E + A / tokens, ("tokens",), LAW.coefs), "inputs"),
        (Law("mine", lambda params, *, E, B: E + B / params, ("params",), (Coef("E"), Coef("B"))), "coefs"),
        (Law("mine", mine, ("params",), (Coef("A"), Coef("E"))), "coefs"),
        (Law("mine", mine, ("params",), (Coef("E"), Coef("A", "real"))), "supports"),
    ],
    ids=["inputs", "names", "order", "supports"],
)
def test_a_law_whose_words_differ_is_refused(tmp_path, law, part):
    assert f"was saved with {part}" in refusal(save(tmp_path / "out", fitted()), laws=(law,))


@pytest.mark.parametrize("space", ["log", "linear"])
@pytest.mark.parametrize("function", [other, nearly])
def test_a_law_whose_function_differs_is_refused(tmp_path, space, function):
    folder = save(tmp_path / "out", fitted(space=space))
    assert "another equation" in refusal(folder, laws=(dataclasses.replace(LAW, loss=function),))


def test_a_shipped_law_that_has_changed_since_is_refused(tmp_path):
    folder = save(tmp_path / "out", answers.fit())
    edited(folder, lambda record: record["fit"]["law"]["coefs"].update(E="unit"))
    assert "was saved with supports" in refusal(folder)


def test_a_law_of_the_users_under_a_shipped_name_is_not_taken_for_the_shipped_one(tmp_path):
    shipped = LAWS.resolve("power-params")
    words = dict.fromkeys(shipped.names, 0.5)
    same_words = Law(shipped.name, shipped.loss, shipped.inputs, shipped.coefs, equation="another")
    first = answers.fit(law=same_words, coefs=words, std={}, fixed=(), certificate=answers.Certificate(0.0, 1.0, 1, 1))
    assert "not one that ships" in refusal(save(tmp_path / "out", first))


def test_an_objective_of_the_users_comes_back_when_it_is_given(tmp_path):
    own = dataclasses.replace(huber(), name="my-score")
    folder = save(tmp_path / "out", answers.fit(objective=dataclasses.replace(own, scale=0.25, space="linear")))
    assert "objectives=(…,)" in refusal(folder)
    found = load(folder, objectives=(own,)).fit.objective
    assert (found.rho, found.scale, found.space) == (own.rho, 0.25, "linear")


def test_a_scheme_of_the_users_comes_back_when_it_is_given(tmp_path):
    own = dataclasses.replace(PAIRS, name="my-scheme")
    folder = save(tmp_path / "out", answers.ensemble(scheme=own))
    assert "schemes=(…,)" in refusal(folder)
    assert load(folder, schemes=(own,)).ensemble.scheme is own


@pytest.mark.parametrize("name", ["</script>\n\x1b[31m", "x" * 10_000, "../../etc", "\ud800"])
def test_a_hostile_name_of_a_law_cannot_forge_a_message(tmp_path, name):
    law = dataclasses.replace(LAW, name=name)
    folder = save(tmp_path / "out", fitted(law))
    message = refusal(folder)
    assert all(line.isprintable() for line in message.splitlines())
    assert len(message) < 1000
    assert load(folder, laws=(law,)).fit.law is law
