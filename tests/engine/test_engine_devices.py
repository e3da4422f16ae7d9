"""Several devices: the same draws and the same answers as one, in processes of their own."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from jaxscale.status import Status

BOOTSTRAP = """
import json
import jax
import numpy as np
import jaxscale as js

columns = {"params": np.geomspace(1e7, 1e10, 30)}
runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
ensemble = js.bootstrap(js.fit(runs, "pure-power-params"), replicates=1500, seed=4)
coefs = {name: values.tolist() for name, values in ensemble.coefs.items()}
weights = [ensemble.weights(replicate).tolist() for replicate in (0, 900, 1499)]
status = ensemble.status.tolist()
values = ensemble.value.tolist()
found = {"coefs": coefs, "weights": weights, "status": status, "values": values}
print(json.dumps({"devices": len(jax.devices()), **found}))
"""


def answer(devices):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", BOOTSTRAP], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_two_devices_draw_the_same_tables_and_find_the_same_minima_as_one():
    one, two = answer(1), answer(2)
    assert (one["devices"], two["devices"]) == (1, 2)
    assert one["weights"] == two["weights"]
    np.testing.assert_allclose(two["values"], one["values"], rtol=1e-12)
    statuses = np.array([one["status"], two["status"]])
    is_line = (statuses == Status.SINGULAR).any(axis=0)  # of which rounding may call a point a minimum
    assert is_line.mean() < 0.01
    np.testing.assert_array_equal(*statuses[:, ~is_line])
    usable = (statuses <= Status.AT_BOUND).all(axis=0)
    assert usable.mean() > 0.99
    for name, values in one["coefs"].items():  # programs of one and of two devices round float32 starts differently
        found = np.array(values)[usable]
        np.testing.assert_allclose(np.array(two["coefs"][name])[usable], found, rtol=0, atol=1e-6 * found.std())
