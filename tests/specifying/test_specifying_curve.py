"""Specification curves: each specification is the fit that one would make by hand, and the shares add up."""

from dataclasses import replace

import numpy as np
import pytest
from curves import curve

import jaxscale as js
from jaxscale.results import PARTS, Specification
from jaxscale.specifying.axes import axes_of
from jaxscale.specifying.tables import kept_rows, table_of, weighted

LAW, TARGET, REPLICATES = "chinchilla", 1e23, 64
ONE = {"objectives": ["huber"], "spaces": ["log"], "conventions": ["measured"]}
DEFAULTS = (None,) * 7
BASE = Specification(LAW, "huber", 1e-3, "log", "measured", "table", "all")


@pytest.fixture(scope="module")
def found(separable_law_table):
    axes = {
        "deltas": [1e-3, 1e-1],
        "weights": ["table", "balanced"],
        "rows": ["all", "smallest-5%", "loss > 99"],
        **ONE,
    }
    laws = [LAW, "data-constrained"]  # which lacks a column
    return js.specifications(separable_law_table, laws, flops=TARGET, replicates=REPLICATES, **axes)


def one_of(found, **choices):
    """The fit of the base with other choices."""
    wanted = replace(found.base.specification, **choices)
    return next(one for one in found.fits if one.specification == wanted)


def test_the_base_is_the_fit_the_bootstrap_and_the_frontier(found, separable_law_table):
    fit = js.fit(separable_law_table)
    front = js.frontier(js.bootstrap(fit, replicates=REPLICATES), flops=TARGET)
    base = found.base
    assert base.specification == BASE
    assert base.fit.coefs == fit.coefs
    assert (base.params, base.loss) == (front.point.params[0], front.point.loss[0])
    for name, values in (("params", front.params), ("loss", front.loss)):
        band = front.interval(name)
        assert (base.low[name], base.high[name]) == (band.lower[0], band.upper[0])
        worth = np.log(values) if name == "params" else values
        assert base.variance[name] == pytest.approx(float(np.var(worth)), rel=1e-12)


def test_rows_left_out_are_as_if_they_had_never_been_there(found, separable_law_table):
    runs = separable_law_table
    kept = np.sort(np.argsort(runs["params"] * runs["tokens"])[12:])  # 228 of 240 rows: the same program
    alone = js.fit(runs.take(kept, "test"))
    one = one_of(found, rows="smallest-5%")
    assert one.used == 228
    assert one.fit.value == pytest.approx(alone.value, rel=1e-9)
    np.testing.assert_allclose(list(one.fit.coefs.values()), list(alone.coefs.values()), rtol=1e-9)


def test_another_threshold_is_a_fit_with_it(found, separable_law_table):
    alone = js.fit(separable_law_table, objective=js.huber(1e-1))
    one = one_of(found, delta=1e-1)
    assert one.fit.coefs == alone.coefs
    assert one.fit.value == alone.value


def test_what_cannot_be_fitted_stands_with_its_reason_and_has_no_share(found):
    failed = {one.specification.law + one.specification.rows: one for one in found.fits if one.status == "refused"}
    assert set(failed) == {"data-constrainedall", "chinchillaloss > 99"}
    assert "unique_tokens" in failed["data-constrainedall"].reason
    assert "no row" in failed["chinchillaloss > 99"].reason
    assert len(found) == 6
    assert found.decomposition("params").count == 4
    assert found.to_frame()["reason"].ne("").sum() == 2


def test_the_shares_add_up_and_the_total_is_the_variance_of_all(found):
    for answer in ("params", "loss"):
        parts = found.decomposition(answer)
        assert sum(parts.shares.values()) == pytest.approx(1.0, rel=1e-12)
        fits = found.ordered(answer)
        between = np.var([one.value(answer) for one in fits])
        assert parts.total == pytest.approx(between + np.mean([one.variance[answer] for one in fits]), rel=1e-12)
        assert parts.parts["form"] == parts.parts["convention"] == 0.0
        assert parts.noise > 0
        assert list(map(float, [one.value(answer) for one in fits])) == sorted(one.value(answer) for one in fits)


@pytest.mark.parametrize("is_product", [True, False])
def test_the_parts_are_the_axes_together(is_product):
    parts = curve(is_product=is_product).decomposition("params")
    for name in dict.fromkeys(PARTS.values()):
        own = [variance for axis, variance in parts.axes.items() if PARTS[axis] == name]
        assert parts.parts[name] == pytest.approx(sum(own), abs=1e-15)
    assert parts.axes["space"] == parts.axes["weights"] == 0.0


def test_an_axis_that_moves_the_answer_more_has_more_of_the_spread():
    """A law moves ln N by 0.4, a threshold by 0.12, a choice of rows by 0.04, and all are combined."""
    axes = curve().decomposition("params").axes
    assert axes["law"] > axes["delta"] > axes["rows"]


def test_one_at_a_time_and_all_combinations_are_each_made_once(separable_law_table):
    chosen = ([LAW, "kaplan"], ["huber", "squared"], [1e-3, 1.0], ["log", "linear"], ["measured"], ["table"], None)
    axes = axes_of(separable_law_table, *chosen)
    star, full = (axes.specifications(is_product=is_product) for is_product in (False, True))
    assert star[0] == full[0] == BASE
    assert len(star) == len(set(star)) == 1 + 1 + 1 + 1 + 1 + 2
    assert len(full) == len(set(full)) == 2 * (2 + 1) * 2 * 3  # squared has no threshold
    assert all(len(one.differences(BASE)) == 1 for one in star[1:])
    assert axes.objective_of(replace(BASE, objective="squared", delta=None, space="linear")) == js.squared(
        space="linear"
    )
    assert set(axes.left_out) == {"early-25%", "early-50%"}


def test_another_way_to_count_changes_sizes_alone():
    shape = {"layers": np.tile([4.0, 8.0, 16.0], 4), "width": np.tile([256.0, 512.0, 1024.0], 4)}
    params, tokens = 12 * shape["layers"] * shape["width"] ** 2 + 5e7, np.geomspace(1e9, 1e11, 12)
    runs = js.Runs.from_arrays(params=params, tokens=tokens, loss=np.linspace(4, 2, 12), **shape)
    axes = axes_of(runs, [LAW], *DEFAULTS[1:])
    assert axes.conventions[:2] == ("measured", "nonembedding")
    law = js.LAWS.resolve(LAW)
    for rows in ("all", "smallest-25%"):
        plain = replace(BASE, weights="root-flops", rows=rows)
        before, after = (table_of(law, runs, replace(plain, convention=one)) for one in axes.conventions[:2])
        for name in ("loss", "weight", "row"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
        np.testing.assert_array_equal(before["tokens"], after["tokens"])
        np.testing.assert_allclose(after["params"], before["params"] - 5e7, rtol=1e-12)
        assert len(before) == len(runs)


def test_weights_are_what_their_words_say(separable_law_table):
    runs, law = separable_law_table, js.LAWS.resolve(LAW)
    flops, every = 6 * runs["params"] * runs["tokens"], np.arange(240)
    root = weighted(law, runs, "root-flops", every).weight
    np.testing.assert_allclose(root**2 / flops, (root**2 / flops)[0], rtol=1e-12)
    balanced = weighted(law, runs, "balanced", every).weight
    bins = np.floor(2 * np.log10(flops / flops.min()) + 1e-9).astype(int)
    totals = np.bincount(bins, balanced)
    np.testing.assert_allclose(totals[totals > 0], totals[0], rtol=1e-12)
    assert root.sum() == pytest.approx(240.0)
    assert balanced.sum() == pytest.approx(240.0)
    given = js.Runs.from_arrays(loss=[3.0, 2.0, 1.0], params=[1.0, 2.0, 3.0], weight=[0.0, 2.0, 5.0], sigma=[1, 1, 2])
    equal = weighted(law, given, "equal", np.arange(3))
    np.testing.assert_array_equal(equal.weight, [0.0, 1.0, 1.0])
    assert equal.sigma is None


def test_early_rows_are_those_that_had_come_least_far_of_their_run():
    runs = js.Runs.from_arrays(
        run=["a", "a", "a", "a", "b", "b"], params=[1e8] * 4 + [1e9] * 2, tokens=[1e9, 2e9, 3e9, 4e9, 5e9, 2e10],
        loss=[4, 3.5, 3.2, 3.0, 3.1, 2.5],
    )  # fmt: skip
    law = js.LAWS.resolve(LAW)
    np.testing.assert_array_equal(kept_rows(law, runs, "early-50%"), [2, 3, 5])  # 1/4, 1/4 and 2/4 are left out
    np.testing.assert_array_equal(kept_rows(law, runs, "smallest-50%"), [3, 4, 5])
    np.testing.assert_array_equal(kept_rows(law, runs, "loss < 3.15 and run == 'b'"), [4, 5])
    assert "early-25%" in axes_of(runs, [LAW], *DEFAULTS[1:]).rows
    with pytest.raises(js.RunsError, match="no run has several rows"):
        kept_rows(law, curve().runs, "early-25%")
    with pytest.raises(js.UsageError, match="below 100 %"):
        kept_rows(law, runs, "early-100%")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"spaces": ["logs"]}, "Did you mean 'log'"),
        ({"weights": ["ballanced"]}, "Did you mean 'balanced'"),
        ({"deltas": [0.0]}, "delta = 0.0"),
        ({"objectives": ["huber", "huber"]}, "given twice"),
        ({"objectives": []}, "at least one"),
        ({"conventions": ["none"]}, "unknown convention"),
        ({"replicates": 1}, "from 2 on"),
        ({"flops": [1e20, 1e21]}, "one budget"),
        ({"level": 95}, "level"),
    ],
)
def test_what_cannot_be_asked_is_refused(separable_law_table, given, said):
    with pytest.raises(js.UsageError, match=said):
        js.specifications(separable_law_table, [LAW], **given)


@pytest.mark.slow
def test_five_runs_move_the_best_size_of_the_chinchilla_table(shared_data):
    """Besiroglu et al. 2024 leave out five runs; with them the optimum is another one."""
    runs = js.read_runs(shared_data / "epoch_chinchilla.csv")
    axes = {"deltas": [1e-3], "weights": ["table"], "rows": ["in_paper_fit == 1", "all"], **ONE}
    found = js.specifications(runs, [LAW], flops=5.76e23, replicates=100, **axes)
    published, every = found.fits
    assert (published.used, every.used) == (240, 245)
    assert published.fit.coefs["A"] == pytest.approx(477.8, rel=1e-3)
    assert every.params > 1.2 * published.params
    assert found.decomposition("params").shares["selection"] > 0.1
