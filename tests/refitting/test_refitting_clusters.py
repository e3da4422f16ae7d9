"""Tables whose rows come in clusters: whole ones are resampled, and what cannot be is refused."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import RunsError, UsageError


@pytest.fixture(scope="module")
def curves():
    """Runs of forty sizes with six rows each, whose noise is common to a run: each row says the same again."""
    random = np.random.default_rng(7)
    params = np.repeat(np.geomspace(1e7, 1e10, 40), 6)
    noise = np.repeat(random.normal(0.0, 0.02, 40), 6)
    names = np.repeat([f"run-{one}" for one in range(40)], 6)
    return js.Runs.from_arrays(params=params, loss=np.exp(noise) * 400.0 * params**-0.3, group=names)


def fitted(runs):
    return js.fit(runs, "pure-power-params", objective=js.squared())


def test_rows_of_one_run_do_not_count_as_independent(curves):
    """With noise common to six rows the spread of the slope is that of forty runs: sqrt(6) times that of 240 rows."""
    fit = fitted(curves)
    spread = {
        name: np.std(js.bootstrap(fit, scheme=name, replicates=1000).coefs["alpha"]) for name in ("pairs", "cluster")
    }
    assert spread["cluster"] / spread["pairs"] == pytest.approx(np.sqrt(6.0), rel=0.2)
    means = np.log(curves.loss).reshape(40, 6)[:, 0]
    x = np.log(curves["params"]).reshape(40, 6)[:, 0]
    x -= x.mean()
    residual = means - np.polyval(np.polyfit(x, means, 1), x)
    witness = np.sqrt(np.sum((x * residual) ** 2)) / np.sum(x**2)  # the sandwich of forty runs
    assert spread["cluster"] == pytest.approx(witness, rel=0.25)


def test_the_weights_of_a_replicate_can_be_rebuilt(curves):
    ensemble = js.bootstrap(fitted(curves), scheme="cluster", replicates=50)
    weights = ensemble.weights(17).reshape(40, 6)
    assert (weights == weights[:, :1]).all()
    assert weights[:, 0].sum() == 40
    x, y = np.log(curves["params"]), np.log(curves.loss)
    slope = -np.polyfit(x, y, 1, w=np.sqrt(weights.ravel()))[0]
    assert ensemble.coefs["alpha"][17] == pytest.approx(slope, rel=1e-9)


def test_a_table_without_groups_is_refused(curves):
    bare = js.Runs.from_arrays(params=curves["params"], loss=curves.loss)
    with pytest.raises(UsageError, match="group='COLUMN'"):
        js.bootstrap(fitted(bare), scheme="cluster", replicates=10)


def test_few_groups_are_refused(curves):
    few = curves.where("group == 'run-0' or group == 'run-3' or group == 'run-6' or group == 'run-9'")
    with pytest.raises(RunsError, match=r"4 groups for the scheme 'cluster', which needs 5"):
        js.bootstrap(fitted(few), scheme="cluster", replicates=10)


def test_groups_with_coefs_of_their_own_are_not_drawn(curves):
    some = slice(None, None, 6)
    halves = np.where(np.arange(40) % 2 == 0, "one", "two")
    runs = js.Runs.from_arrays(params=curves["params"][some], loss=curves.loss[some], group=halves)
    fit = js.fit(runs, "pure-power-params", objective=js.huber(0.1), per_group="A")  # a program of tests/cli, too
    with pytest.raises(UsageError, match="coefs of its own"):
        js.bootstrap(fit, scheme="cluster", replicates=10)
