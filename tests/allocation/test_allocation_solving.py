"""What a loss needs, against the closed forms of the separable law and against the laws themselves."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.allocation import kaplan_training, separable
from jaxscale.errors import UsageError

COEFS = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
LOSSES = np.array([3.5, 2.6, 2.1])
GIVEN = {"law": "chinchilla", "coefs": COEFS}


def test_the_tokens_that_reach_a_loss_are_the_closed_form():
    found = js.solve_for(**GIVEN, loss=LOSSES, at={"params": 1e10})
    assert found.name == "tokens"
    np.testing.assert_allclose(found.value, separable.tokens_to_reach(COEFS, LOSSES, params=1e10), rtol=1e-11)
    assert found.findings == ()


def test_the_params_that_reach_a_loss_are_the_closed_form_with_both_terms_exchanged():
    swapped = {"E": COEFS["E"], "A": COEFS["B"], "B": COEFS["A"], "alpha": COEFS["beta"], "beta": COEFS["alpha"]}
    found = js.solve_for(**GIVEN, loss=LOSSES, at={"tokens": 1e12})
    assert found.name == "params"
    np.testing.assert_allclose(found.value, separable.tokens_to_reach(swapped, LOSSES, params=1e12), rtol=1e-11)


def test_the_least_compute_and_its_split_are_the_closed_form():
    found = js.solve_for(**GIVEN, loss=LOSSES)
    want = separable.flops_to_reach(COEFS, LOSSES)
    best = separable.optimum(COEFS, want)
    np.testing.assert_allclose(found.value, want, rtol=1e-9)
    np.testing.assert_allclose(found.arrays["params"], best.params, rtol=1e-7)
    np.testing.assert_allclose(found.arrays["tokens"], best.tokens, rtol=1e-7)


def test_at_a_ratio_the_compute_is_that_of_sizes_in_that_ratio():
    found = js.solve_for(**GIVEN, loss=2.6, at={"tokens_per_param": 20.0})
    params = found.arrays["params"][0]
    assert found.value[0] == pytest.approx(6 * params * 20 * params, rel=1e-12)
    assert float(js.predict("chinchilla", COEFS, params=params, tokens=20 * params)) == pytest.approx(2.6, rel=1e-12)


def test_losses_and_sizes_may_both_be_lists():
    sizes = np.array([3e9, 1e10, 1e11])
    found = js.solve_for(**GIVEN, loss=LOSSES, at={"params": sizes})
    np.testing.assert_allclose(found.value, separable.tokens_to_reach(COEFS, LOSSES, params=sizes), rtol=1e-11)


@pytest.mark.parametrize(
    ("at", "said"), [({"params": 1e8}, "no amount of tokens reaches loss 2.1 at params=1e"), ({}, "1.8")]
)
def test_a_loss_below_the_floor_is_not_reached_and_it_says_so(at, said):
    found = js.solve_for(**GIVEN, loss=2.1 if at else 1.8, at=at)
    assert np.isinf(found.value[0])
    assert [one.code for one in found.findings] == ["not-reached"]
    assert said in found.findings[0].message


def test_a_loss_that_everything_reaches_has_no_least_amount():
    found = js.solve_for(**GIVEN, loss=1e6, at={"params": 1e10})
    assert np.isnan(found.value[0])
    assert [one.code for one in found.findings] == ["always-reached"]


def test_kaplans_steps_to_a_loss_are_his_closed_form():
    found = js.solve_for(law="kaplan-steps", coefs="kaplan2020", loss=[3.0, 2.6], at={"params": 1e9})
    want = kaplan_training.steps_to_reach("kaplan2020", params=1e9, loss=np.array([3.0, 2.6]))
    assert found.name == "steps_min"
    np.testing.assert_allclose(found.value, want, rtol=1e-10)


def test_a_law_of_compute_alone_is_inverted():
    found = js.solve_for(law="kaplan-flops-min", coefs="kaplan2020", loss=2.5)
    assert float(js.predict("kaplan-flops-min", "kaplan2020", flops=found.value[0])) == pytest.approx(2.5, rel=1e-12)


def test_where_the_loss_rises_with_an_input_the_most_of_it_is_given():
    """Frantar et al. 2023: the sparser, the worse, at the same weights left and tokens; and more with fewer weights."""
    run = {"params": 1e8, "tokens": 1e11}
    dense, sparse = (float(js.predict("sparsity", "frantar2023-t5", **run, sparsity=one)) for one in (0.0, 0.9))
    level = 0.5 * (dense + sparse)
    found = js.solve_for(law="sparsity", coefs="frantar2023-t5", loss=level, at=run)
    again = float(js.predict("sparsity", "frantar2023-t5", **run, sparsity=found.value[0]))
    assert found.name == "sparsity"
    assert again == pytest.approx(level, rel=1e-12)


def test_every_replicate_is_solved_by_its_own_coefs(epoch_ensemble):
    found = js.solve_for(epoch_ensemble, loss=[2.4, 2.2], at={"params": 3e9})
    coefs = {name: samples[:, None] for name, samples in epoch_ensemble.coefs.items()}
    want = separable.tokens_to_reach(coefs, np.array([2.4, 2.2]), params=3e9)
    usable = epoch_ensemble.usable
    is_reached = np.isfinite(want) & usable[:, None]
    np.testing.assert_allclose(found.value[is_reached], np.asarray(want)[is_reached], rtol=1e-9)
    assert np.isinf(found.value[usable][~is_reached[usable]]).all()
    assert np.isnan(found.value[~usable]).all()
    band = found.interval("tokens")
    assert (band.lower <= found.point.value).all()
    assert (found.point.value <= band.upper).all()


def test_a_solution_says_itself_in_one_line(epoch_ensemble):
    found = js.solve_for(epoch_ensemble, loss=[2.4, 2.2, 2.15, 2.1], at={"params": 3e9})
    amounts = [
        f"loss {loss:.5g} at {tokens:.4g} tokens" for loss, tokens in zip(found.loss, found.point.value, strict=True)
    ]
    count = f"{len(epoch_ensemble):,} replicates"
    assert repr(found) == f"<Solution chinchilla: {', '.join(amounts[:3])} and 1 more, {count}>"
    assert repr(found.point) == f"<Solution chinchilla: {', '.join(amounts[:3])} and 1 more>"


def test_replicates_that_never_reach_a_loss_are_counted_and_open_the_band(epoch_ensemble):
    found = js.solve_for(epoch_ensemble, loss=1.95, at={"params": 1e12})
    never = int(np.isinf(found.value[epoch_ensemble.usable]).sum())
    found = js.solve_for(epoch_ensemble, loss=1.86, at={"params": 1e12})
    more = int(np.isinf(found.value[epoch_ensemble.usable]).sum())
    assert 0 <= never < more
    said = [one.message for one in found.findings if one.code == "replicates-not-reached"]
    assert f"{more:,} of".replace(",", "") in said[0].replace(",", "")
    assert np.isinf(found.interval("tokens").upper[0])


def test_the_least_compute_of_an_ensemble_is_that_of_every_replicate(epoch_ensemble):
    found = js.solve_for(epoch_ensemble, loss=2.3)
    usable = epoch_ensemble.usable
    want = np.asarray(separable.flops_to_reach({k: v[usable] for k, v in epoch_ensemble.coefs.items()}, 2.3))
    np.testing.assert_allclose(found.value[usable, 0], want, rtol=1e-8)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"at": {"flops": 1e21}}, "met by two sizes"),
        ({"at": {"params": 1e9, "tokens": 1e10}}, "nothing is left"),
        ({"at": {"parms": 1e9}}, "Did you mean 'params'"),
        ({"at": {"params": -1e9}}, "must be positive"),
        ({"loss": np.nan}, "not a finite number"),
        ({"loss": "2.5"}, "no number"),
        ({"loss": []}, "give one loss or a list of them"),
        ({"loss": [[2.5]]}, "give one loss or a list of them"),
        ({"loss": [2.5, 2.6], "at": {"params": [1e9, 2e9, 3e9]}}, "other lengths"),
        ({"coefs": None}, "needs a Fit"),
        ({"law": "data-constrained", "coefs": "muennighoff2023", "at": {"params": 1e9}}, "missing"),
        ({"law": "data-constrained", "coefs": "muennighoff2023"}, "unique_tokens"),
    ],
)
def test_what_cannot_be_solved_is_refused(asked, said):
    with pytest.raises(UsageError, match=said):
        js.solve_for(**{"loss": 2.5, **GIVEN, **asked})
