"""Processes forked after JAX has computed: refused at once, since there it would wait for threads that are gone."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

PROGRAM = """
import multiprocessing, warnings
import numpy as np
import jaxscale as js

warnings.simplefilter("ignore")
columns = {{"params": np.geomspace(1e8, 1e9, 5), "tokens": np.full(5, 1e9)}}
runs = js.Runs.from_arrays(loss=[3.0, 2.8, 2.65, 2.5, 2.4], **columns)
verbs = {{
    "fit": lambda: js.fit(runs, "power-params"),
    "predict": lambda: js.predict("chinchilla", "besiroglu2024", **columns)[0],
    "allocate": lambda: js.allocate("chinchilla", "besiroglu2024", flops=1e24).log_params,
}}

def tried(verb):
    try:
        return str(verbs[verb]())
    except js.UsageError as refused:
        return f"refused: {{refused}}"

if __name__ == "__main__":
    {before}
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for verb in {asked}:
            print(pool.apply_async(tried, (verb,)).get(60).splitlines())
"""


def answers(before, *asked):
    """Return a line for each verb that a forked process was asked for."""
    code = PROGRAM.format(before=before, asked=asked)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=120, check=True)
    return done.stdout.splitlines()


def test_a_process_forked_after_a_computation_refuses_every_verb_and_names_spawn():
    said = answers('tried("predict")', "fit", "predict", "allocate")
    assert len(said) == 3
    assert all("refused: " in line and "'spawn'" in line for line in said)


def test_a_process_forked_after_jax_was_used_by_itself_refuses_too():
    (said,) = answers("import jax; jax.numpy.ones(3) + 1", "predict")
    assert "refused: " in said


def test_a_process_forked_before_any_computation_computes():
    """As a program does that reads its table and hands it to its workers."""
    (said,) = answers("[getattr(js, name) for name in js.__all__]", "predict")
    assert "refused: " not in said
