"""Frontiers of fits and ensembles, IsoLoss contours, and what is refused."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import UsageError

COEFS = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
BUDGETS = np.array([1e20, 1e22, 5.76e23])
SIZES = np.geomspace(1e9, 1e12, 7)


def closed_tokens(loss, params):
    """laws.md C0: D(N; l) = (B / (l - E - A N^-alpha))^(1/beta), for N above (A / (l - E))^(1/alpha)."""
    rest = loss - COEFS["E"] - COEFS["A"] * params ** -COEFS["alpha"]
    return np.where(rest > 0, (COEFS["B"] / np.where(rest > 0, rest, 1.0)) ** (1 / COEFS["beta"]), np.nan)


def test_the_isoloss_contours_are_the_closed_form():
    levels = np.array([2.1, 2.3, 3.0])
    tokens = js.isoloss(law="chinchilla", coefs=COEFS, loss=levels, params=SIZES)
    want = closed_tokens(levels[:, None], SIZES[None, :])
    assert tokens.shape == (3, 7)
    np.testing.assert_array_equal(np.isnan(tokens), np.isnan(want))
    np.testing.assert_allclose(tokens, want, rtol=1e-9)


def test_a_loss_below_the_floor_is_reached_nowhere():
    assert np.isnan(js.isoloss(law="chinchilla", coefs=COEFS, loss=1.8, params=SIZES)).all()


def test_where_the_loss_rises_again_with_tokens_the_contour_is_the_fewest_that_reach_it():
    """Kumar et al. 2024: post-training quantisation costs more with tokens, so that most losses are met twice."""
    law, fixed = js.LAWS.resolve("precision-post"), {"bits_post": 3.0}
    fixed = {name: fixed.get(name, 16.0) for name in law.inputs if name not in ("params", "tokens")}
    coefs = {coef.name: float(np.sqrt(np.prod(coef.range))) for coef in law.coefs}
    tokens = np.geomspace(1e8, 1e16, 200)
    losses = js.predict(law, coefs, params=1e8, tokens=tokens, **fixed)
    lowest = int(np.argmin(losses))
    assert 0 < lowest < 199
    level = losses[lowest] + 0.5 * (losses[0] - losses[lowest])
    found = float(js.isoloss(law=law, coefs=coefs, loss=level, params=[1e8], fixed=fixed)[0, 0])
    assert found < tokens[lowest]
    assert js.predict(law, coefs, params=1e8, tokens=found, **fixed) == pytest.approx(level, rel=1e-12)
    fine = np.geomspace(tokens[lowest - 1], tokens[lowest + 1], 20_001)
    dip = js.predict(law, coefs, params=1e8, tokens=fine, **fixed)
    near = float(js.isoloss(law=law, coefs=coefs, loss=dip.min() * (1 + 1e-10), params=[1e8], fixed=fixed)[0, 0])
    assert near == pytest.approx(fine[np.argmin(dip)], rel=1e-3)  # as flat as a minimum is
    below = js.isoloss(law=law, coefs=coefs, loss=dip.min() * (1 - 1e-10), params=[1e8], fixed=fixed)
    assert np.isnan(below).all()


def test_what_is_held_for_a_contour_is_judged_as_for_a_frontier():
    law = {"law": "sparsity", "coefs": "frantar2023-t5"}
    for value, said in (
        (-3.0, "must be 0 or more and below 1"),
        (np.nan, "not a finite number"),
        ("x", "not a finite number"),
    ):
        with pytest.raises(UsageError, match=said):
            js.isoloss(**law, loss=2.5, params=[1e8], fixed={"sparsity": value})
        with pytest.raises(UsageError, match=said):
            js.frontier(**law, flops=1e20, fixed={"sparsity": value})
    numbers = [
        js.isoloss(**law, loss=2.5, params=[1e8], fixed={"sparsity": kind(0)}) for kind in (int, np.array, np.float32)
    ]
    assert numbers[0] == numbers[1] == numbers[2] > 0
    with pytest.raises(UsageError, match="sizes are positive"):
        js.isoloss(law="chinchilla", coefs=COEFS, loss=2.5, params=[1e8, 0.0])


def test_the_contour_touches_the_line_of_its_budget_at_the_optimum():
    """On C = 6 N D the slope d ln D / d ln N is -1, and nowhere else on the line is the loss as low."""
    front = js.frontier(law="chinchilla", coefs=COEFS, flops=BUDGETS)
    for params, tokens, loss in zip(front.params, front.tokens, front.loss, strict=True):
        step = 1e-4
        around = params * np.exp(np.array([-step, 0.0, step]))
        contour = js.isoloss(law="chinchilla", coefs=COEFS, loss=loss * (1 + 1e-15), params=around)[0]
        assert contour[1] == pytest.approx(tokens, rel=1e-9)
        assert np.log(contour[2] / contour[0]) / (2 * step) == pytest.approx(-1.0, abs=1e-6)
        wide = params * np.geomspace(0.3, 3, 9)
        needed = 6 * wide * js.isoloss(law="chinchilla", coefs=COEFS, loss=loss, params=wide)[0]
        assert np.all(needed[~np.isnan(needed)] >= 6 * params * tokens * (1 - 1e-9))


def test_the_point_of_a_ensembles_frontier_is_that_of_its_fit(epoch_ensemble, epoch_fit):
    ensemble, point = (js.frontier(source, flops=BUDGETS) for source in (epoch_ensemble, epoch_fit))
    np.testing.assert_array_equal(ensemble.point.params, point.params)
    assert ensemble.params.shape == ensemble.loss.shape == (4000, 3)
    assert ensemble.is_ensemble
    assert not point.is_ensemble
    assert point.interval("params") is None


def test_each_replicate_has_the_closed_form_frontier_of_its_own_coefs(epoch_ensemble):
    c, product = epoch_ensemble.coefs, BUDGETS / 6
    s = c["alpha"] + c["beta"]
    G = (c["alpha"] * c["A"] / (c["beta"] * c["B"])) ** (1 / s)
    want = G[:, None] * product ** (c["beta"] / s)[:, None]
    np.testing.assert_allclose(js.frontier(epoch_ensemble, flops=BUDGETS).params, want, rtol=1e-9)


def test_tokens_per_param_at_the_compute_of_chinchilla_is_about_eighteen(epoch_ensemble):
    """PROVENANCE.md: 17.9 at the Huber minimum, 18.3 for least absolute deviations."""
    front = js.frontier(epoch_ensemble, flops=5.88e23)
    assert front.point.tokens_per_param[0] == pytest.approx(17.9, abs=0.1)
    band = front.interval("tokens_per_param")
    assert band.lower[0] < 17.9 < band.upper[0]
    assert (band.n_used, band.n_total) == (4000, 4000)


def test_a_budget_far_beyond_the_runs_is_called_extrapolation(epoch_fit):
    codes = [finding.code for finding in js.frontier(epoch_fit, flops=[1e21, 1e25]).findings]
    assert codes == ["extrapolation"]
    assert js.frontier(epoch_fit, flops=1e21).findings == ()


def test_measured_compute_is_counted_as_budgets_are(separable_law_table):
    """A table that counts attention has more FLOP than 6 N D, of which the budgets of a frontier are."""
    runs = separable_law_table
    columns = {name: runs[name] for name in ("params", "tokens")}
    dear = js.Runs.from_arrays(loss=runs.loss, flops=1.5 * runs["flops"], **columns)
    front = js.frontier(js.fit(dear), flops=1e21)
    product = 6 * runs["params"] * runs["tokens"]
    np.testing.assert_allclose(front.measured, (product.min(), product.max()))


def test_a_law_of_compute_has_a_loss_and_no_split():
    front = js.frontier(law="power", coefs={"E": 1.7, "A": 300.0, "alpha": 0.12}, flops=BUDGETS)
    np.testing.assert_allclose(front.loss, 1.7 + 300.0 * BUDGETS**-0.12, rtol=1e-13)
    assert np.isnan(front.params).all()
    assert np.isnan(front.tokens).all()
    assert [finding.code for finding in front.findings] == ["no-split"]


@pytest.mark.parametrize("name", ["power-params", "power-tokens"])
def test_a_law_of_one_size_has_no_frontier(name):
    with pytest.raises(UsageError, match="says nothing about how to split a budget"):
        js.frontier(law=name, coefs={"E": 1.7, "A": 300.0, "alpha": 0.12}, flops=1e20)


@pytest.mark.parametrize("flops", [0.0, -1e20, float("nan"), float("inf"), [1e20, 0.0], True, "1e20", 10**400])
def test_a_budget_that_is_no_positive_number_is_refused(flops):
    with pytest.raises(UsageError, match="a budget is a positive, finite number of FLOP"):
        js.frontier(law="chinchilla", coefs=COEFS, flops=flops)


@pytest.mark.parametrize("flops", [[], [[1e20, 1e21]], [[1e20, 1e21], [1e22]]])
def test_budgets_that_are_no_list_of_numbers_are_refused(flops, epoch_fit):
    with pytest.raises(UsageError, match="flops"):
        js.frontier(epoch_fit, flops=flops)


def test_without_a_source_there_is_nothing_to_draw():
    with pytest.raises(UsageError, match="a Fit, an Ensemble, or law= with coefs="):
        js.frontier(flops=1e20)
    with pytest.raises(UsageError, match="a Fit, or law= with coefs="):
        js.isoloss(loss=2.0, params=1e9)


def test_two_sources_at_once_are_refused(epoch_fit):
    with pytest.raises(UsageError, match="law"):
        js.frontier(epoch_fit, flops=1e20, law="kaplan")


UNITS = {**COEFS, "A": COEFS["A"] / 1e9 ** COEFS["alpha"], "B": COEFS["B"] / 1e9 ** COEFS["beta"]}
"""The same law with params and tokens in billions: N D is then 1e18 times smaller."""


@pytest.mark.parametrize("flops", [1e18, 1e19, 1e20, 1e21, 1e23])
def test_the_optimum_in_other_units_is_the_same_or_absent(flops):
    """Below one unit the frontier may be silent, but never a wrong number."""
    plain = js.frontier(law="chinchilla", coefs=COEFS, flops=flops)
    scaled = js.frontier(law="chinchilla", coefs=UNITS, flops=flops / 1e18)
    if not np.isnan(scaled.params[0]):
        assert scaled.params[0] * 1e9 == pytest.approx(plain.params[0], rel=1e-9)


def test_where_no_interior_optimum_exists_the_split_is_absent_and_it_says_so():
    useless = {**COEFS, "B": 1e-30}  # data cost nothing and give nothing: the best size is the largest
    front = js.frontier(law="chinchilla", coefs=useless, flops=[1e20])
    assert np.isnan(front.params).all()
    assert [finding.code for finding in front.findings] == ["optimum-at-end"]


def test_replicates_whose_optimum_is_not_their_lowest_are_counted():
    """A term that only one token feels lies far below what any split inside has."""
    text = "E + A*params**-0.35 + 2000*tokens**-0.37 - K*exp(-tokens)"
    law = js.laws.law_from_expression(text, ["E:positive:1", "A:positive:400", "K:positive:1e5"])
    columns = {"params": np.geomspace(1e8, 1e9, 12), "tokens": np.geomspace(1e11, 1e9, 12)}
    fit = js.fit(js.simulate(law, {"E": 1.8, "A": 480.0, "K": 1e5}, columns=columns, noise=0.01), law, fix={"K": 1e5})
    front = js.frontier(js.bootstrap(fit, replicates=32), flops=[1e20])
    codes = {finding.code: finding.message for finding in front.findings}
    assert "lower-at-end" in codes
    assert codes["replicates-lower-at-end"].startswith("at some budget 32 of 32 usable replicates promise less")
    assert np.isfinite(front.params).all()


def test_published_coefs_that_are_not_finite_are_refused_by_name():
    with pytest.raises(UsageError, match="coefs: beta = nan is not a finite number"):
        js.frontier(law="chinchilla", coefs={**COEFS, "beta": float("nan")}, flops=1e22)


def test_an_optimum_that_no_digit_of_the_loss_shows_is_found_by_its_slope():
    """On 25e9 tokens seen a thousand times both terms are spent: between 3e11 and 2e12 params the loss is one number.

    The slope knows the optimum, since its exponentials are not lost beside one.
    """
    right = [1.72477241e11, 5.42705302e11]  # the first-order condition in 60 digits
    front = js.frontier(
        law="data-constrained", coefs="muennighoff2023", fixed={"unique_tokens": 25e9}, flops=[1e25, 1e26]
    )
    np.testing.assert_allclose(front.params, right, rtol=1e-6)


@pytest.mark.parametrize("unique", [-2e9, 0.0])
def test_a_held_size_must_be_positive(unique):
    with pytest.raises(UsageError, match="must be positive"):
        js.frontier(law="data-constrained", coefs="muennighoff2023", fixed={"unique_tokens": unique}, flops=1e20)


def test_a_budget_below_one_param_on_one_token_has_no_optimum():
    front = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=[1e-3, 1.0, 1e20])
    assert np.isfinite(front.params).tolist() == [False, False, True]


@pytest.mark.slow
def test_measured_compute_is_counted_at_the_laws_own_price():
    """Frantar et al. 2023: a budget buys dense params as well, so a run of 6 N D cost it 6 N D / (1 - S)."""
    law = js.LAWS.resolve("sparsity")
    columns = {"params": [1e8, 2e8], "tokens": [1e9, 4e9], "sparsity": [0.0, 0.5]}
    price = [float(law.flops_per_param_token(sparsity=np.float64(one))) for one in columns["sparsity"]]
    runs = js.Runs.from_arrays(loss=[3.0, 2.9], **columns)
    made = js.fit(runs, law, fix=law.constants("frantar2023-t5"))
    front = js.frontier(made, flops=1e21, fixed={"sparsity": 0.5})
    assert front.measured == pytest.approx((price[0] * 1e17, price[1] * 8e17), rel=1e-12)
