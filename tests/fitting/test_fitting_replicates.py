"""Every replicate is a minimum of its own table: SciPy, started there and around it, improves none.

Tables and selections of rows as ../shared/data/PROVENANCE.md describes them. The designs are wide and narrow, with the
floor inside, and at zero in half of the replicates; on those of Epoch's 245 rows, datablations and porian about one
replicate in 150 has a lower minimum than the one nearest the point fit.
"""

import numpy as np
import pytest
from witness import Witness

import jaxscale as js

pytestmark = pytest.mark.slow

CHECKED = 40
REPLICATES = 600  # more than the survey, so that those who follow them are checked as well
BAR = 1e-9
"""Relative improvement that counts: a thousand times the rounding of the two sums."""

PORIAN = "porian_isoflop_rw.csv"
SELECTIONS = {
    "epoch, 240 rows of the paper": ("epoch_chinchilla.csv", "chinchilla", "in_paper_fit == 1"),
    "epoch, with the outliers": ("epoch_chinchilla.csv", "chinchilla", "loss > 0"),
    "gadre, C4": ("gadre_overtrain.csv", "chinchilla", "experiment == 'c4_original'"),
    "datablations, few epochs": ("datablations.csv", "chinchilla", "experiment == 'c4' and epochs <= 2.5"),
    "porian, cosine": (PORIAN, "chinchilla", "experiment == 'rw_base_short_chinchilla_standard_val'"),
    "porian, floor at zero": (PORIAN, "chinchilla", "experiment == 'rw_base_long_kaplan_kaplan_train'"),
    "mpl, last losses": ("mpl_curves.csv", "chinchilla", "last"),
    "mpl, one curve": ("mpl_curves.csv", "power-tokens", "run == 'constant_24000' and experiment == '25M'"),
}


def selected(folder, name, where):
    """The rows of a selection; `last` keeps the last checkpoint of each curve: 27 runs of three sizes."""
    if where != "last":
        return js.read_runs(folder / name, where=[where])
    runs = js.read_runs(folder / name)
    curve = np.array([f"{size} {schedule}" for size, schedule in zip(runs["experiment"], runs["run"], strict=True)])
    last = [max(np.flatnonzero(curve == one), key=lambda row: runs["tokens"][row]) for one in np.unique(curve)]
    return js.Runs.from_arrays(loss=runs.loss[last], params=runs["params"][last], tokens=runs["tokens"][last])


@pytest.mark.parametrize("selection", SELECTIONS)
def test_scipy_improves_no_replicate(shared_data, selection):
    """From the replicate's own coefs, from beside them, and from a start that knows nothing of them."""
    name, law, where = SELECTIONS[selection]
    fit = js.fit(selected(shared_data, name, where), law)
    assert fit.is_usable
    ensemble = js.bootstrap(fit, replicates=REPLICATES)
    witness = Witness.of(fit.runs, fit.law)
    random = np.random.default_rng(12)
    improved, returned = {}, []
    for replicate in random.choice(np.flatnonzero(ensemble.usable), CHECKED, replace=False):
        weight, ours = ensemble.weights(replicate), ensemble.value[replicate]
        here = witness.point({name: ensemble.coefs[name][replicate] for name in ensemble.coefs})
        assert witness.value(here, weight) == pytest.approx(ours, rel=1e-11)
        starts = [here, witness.beside(here, 0.2, random), witness.afar(random)]
        found = [witness.lowest(start, weight)[0] for start in starts]
        returned += [abs(value - ours) < 1e-8 * ours for value in found]
        if min(found) < ours * (1 - BAR):
            improved[int(replicate)] = (ours - min(found)) / ours
    assert not improved
    assert np.mean(returned) > 0.75  # the witness does find these minima: the first third of its starts gives it 0.33
