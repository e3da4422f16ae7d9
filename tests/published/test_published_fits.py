"""Published and best known objectives of real tables, from ../shared/data/PROVENANCE.md: each is met or beaten.

Every table is brought to 256 rows by copies of weight zero, which change nothing and let all of them share one program.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from witness import Witness

import jaxscale as js

ROWS = 256
BAR = 1 + 1e-9

EPOCH = [
    ("in_paper_fit == 1", 240, 1e-3, 0.001018274018),
    ("in_paper_fit == 1", 240, 1e-6, 1.129376218e-06),
    (None, 245, 1e-3, 0.001826010524),
    (None, 245, 1e-6, 1.939794027e-06),
    ("in_paper_fit == 1 and budget > 0", 124, 1e-3, 0.0005792621912),
]
GADRE = [("c4_original", 34, 0.0005299541307), ("rpj", 35, 0.0004265108272)]
DATABLATIONS = [
    pytest.param("chinchilla-tied", 2.5, 62, 0.001218938675, marks=pytest.mark.slow),
    ("chinchilla", 2.5, 62, 0.001218655737),
    ("chinchilla", 2.0, 59, 0.001102606946),
    ("chinchilla", 1.0, 41, 0.0009496429001),
]
PORIAN = [
    ("rw_tuned_short_const_standard_val", None, 121, 0.006693239338),
    ("rw_tuned_short_const_standard_val", "loss <= 5", 99, 0.002608527366),
    ("rw_base_short_chinchilla_standard_val", None, 88, 0.001067809718),
    ("rw_base_short_chinchilla_standard_val", "loss <= 5", 70, 0.0006063596623),
    ("rw_base_short_kaplan_standard_val", None, 132, 0.003627338159),
    ("rw_base_long_kaplan_standard_val", None, 131, 0.005110332534),
    ("rw_base_long_kaplan_kaplan_train", None, 107, 0.003796266635),
    ("rw_base_long_kaplan_attention_train", None, 126, 0.00450121998),
    ("rw_base_short_kaplan_attention_train", None, 126, 0.003508790737),
    ("rw_base_short_chinchilla_attention_train", None, 106, 0.003130885308),
    ("rw_tuned_short_const_attention_train", None, 123, 0.007140098499),
    ("rw_tuned_long_const_kaplan_train", None, 104, 0.004557007773),
]


def padded(runs, rows=ROWS):
    index = np.resize(np.arange(len(runs)), max(rows, len(runs)))
    weight = np.where(np.arange(len(index)) < len(runs), 1.0, 0.0)
    return js.Runs.from_arrays(
        loss=runs.loss[index], weight=weight, params=runs["params"][index], tokens=runs["tokens"][index]
    )


def read(shared_data, name, *where):
    return js.read_runs(shared_data / name, where=[one for one in where if one])


def check(runs, count, bar, law="chinchilla", delta=1e-3):
    assert len(runs) == count
    fit = js.fit(padded(runs), law, objective=js.huber(delta))
    assert fit.is_usable
    assert fit.value <= bar * BAR
    is_whole = count == 245  # the only one of these tables with rows that its paper calls outliers
    assert ("outlier-leverage" in {one.code for one in fit.findings}) is is_whole
    return fit


@pytest.mark.parametrize(("where", "count", "delta", "bar"), EPOCH)
def test_the_epoch_tables_reach_the_best_known_objective(shared_data, where, count, delta, bar):
    check(read(shared_data, "epoch_chinchilla.csv", where), count, bar, delta=delta)


@pytest.mark.parametrize(("corpus", "count", "bar"), GADRE)
def test_the_gadre_tables_reach_the_best_known_objective(shared_data, corpus, count, bar):
    check(read(shared_data, "gadre_overtrain.csv", f"experiment == '{corpus}'"), count, bar)


@pytest.mark.parametrize(("law", "epochs", "count", "bar"), DATABLATIONS)
def test_the_datablations_tables_reach_the_best_known_objective(shared_data, law, epochs, count, bar):
    runs = read(shared_data, "datablations.csv", f"experiment == 'c4' and epochs <= {epochs}")
    check(runs, count, bar, law=law)


@pytest.mark.parametrize(("experiment", "where", "count", "bar"), PORIAN)
def test_the_porian_tables_reach_the_best_known_objective(shared_data, experiment, where, count, bar):
    check(read(shared_data, "porian_isoflop_rw.csv", f"experiment == '{experiment}'", where), count, bar)


@pytest.mark.slow
def test_the_constant_curves_of_the_multi_power_law_reach_the_best_known_objective(shared_data):
    runs = read(shared_data, "mpl_curves.csv", "run == 'constant_72000'")
    assert len(runs) == 1638
    fit = js.fit(runs)
    assert fit.is_usable
    assert fit.value <= 0.001272381166 * BAR


def test_the_muennighoff_exponent_is_that_of_their_own_tied_fit(shared_data):
    """Published: a 6.4526, b 8.0230, e 0.63987, alpha 0.35954, with an objective printed as 0.0012."""
    runs = read(shared_data, "datablations.csv", "experiment == 'c4' and epochs <= 2.5")
    coefs = js.fit(padded(runs), "chinchilla-tied").coefs
    published = {"E": np.exp(0.63987), "A": np.exp(6.4526), "B": np.exp(8.0230), "alpha": 0.35954}
    for name, value in published.items():
        assert coefs[name] == pytest.approx(value, rel=2e-3)  # theirs stops at 0.0012 rounded: above the minimum


def test_nothing_lies_below_our_minimum_of_the_third_gadre_table(shared_data):
    """PROVENANCE.md prints 0.0004757255011; the minimum is 4.757255016303e-4, 1.1e-9 above, so the bar is not usable.

    The witness shares nothing with us: Nelder and Mead's simplex on centred logs, from our minimum and from around it.
    """
    runs = read(shared_data, "gadre_overtrain.csv", "experiment == 'rw_original'")
    assert len(runs) == 35
    fit = js.fit(padded(runs))
    assert fit.is_usable
    witness, ones = Witness.of(runs, fit.law), np.ones(35)
    ours = witness.point(fit.coefs)
    assert witness.value(ours, ones) == pytest.approx(fit.value, rel=1e-12)
    random = np.random.default_rng(0)
    options = {"xatol": 1e-13, "fatol": 1e-20, "maxiter": 3000, "maxfev": 3000}
    found = []
    for spread in (0.0, 1e-3, 1e-2, 0.03, 0.1, 0.3):
        point = ours + spread * random.standard_normal(5)
        for _ in range(4):  # a simplex that has collapsed is opened again
            point = minimize(witness.value, point, (ones,), "Nelder-Mead", options=options).x
        found.append(witness.value(point, ones))
    assert min(found) >= fit.value * (1 - 1e-12)
    assert sum(value <= fit.value * (1 + 1e-9) for value in found) >= 3  # the witness does find this minimum
    assert fit.value == pytest.approx(0.0004757255011, rel=2e-9)
