"""A header that names a unit is proposed as it stands, with its factor, and for the role that it can play."""

import shlex
from itertools import pairwise

import numpy as np
import pytest

from jaxscale.errors import RunsError

PARAMS, TOKENS, LOSSES = np.array([1e8, 2e8, 4e8]), np.array([2e9, 4e9, 8e9]), (3.4, 3.2, 3.0)


def told(read, text):
    """Return the values of --map and --scale that the refusal of a table tells to type, as `read_runs` takes them."""
    with pytest.raises(RunsError) as refused:
        read(text)
    line = str(refused.value).splitlines()[-1].partition(":")[2]
    words = list(pairwise(shlex.split(line)))
    maps = dict(word.split("=", 1) for option, word in words if option == "--map")
    scales = (word.rpartition("=") for option, word in words if option == "--scale")
    return {"map": maps, "scale": {header: float(factor) for header, _, factor in scales}}


def table(**columns):
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(f"{cell:.10g}" for cell in row) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        ("params (M)", "tokens (B)"),
        ("Params (millions)", "Tokens (billions)"),
        ("params_m", "tokens_b"),
        ("N params [M]", "training tokens in billions"),
        ("config.params (M)", "D (1e9)"),
        ("non-embedding params (M)", "tokens seen (bn)"),
    ],
)
def test_headers_with_units_are_proposed_with_their_factors_and_read_as_plain_counts(read, params, tokens):
    text = table(**{params: PARAMS / 1e6, tokens: TOKENS / 1e9, "loss": LOSSES})
    options = told(read, text)
    assert options == {"map": {"params": params, "tokens": tokens}, "scale": {params: 1e6, tokens: 1e9}}
    runs = read(text, **options)
    np.testing.assert_allclose(runs["params"], PARAMS, rtol=1e-9)
    np.testing.assert_allclose(runs["tokens"], TOKENS, rtol=1e-9)


@pytest.mark.parametrize("params", ["n_params", "params (non-embedding)"])
@pytest.mark.parametrize(
    ("header", "factor"),
    [("PF-days", 8.64e19), ("compute (PF-days)", 8.64e19), ("pf_days", 8.64e19), ("training EFLOPs", 1e18)],
)
def test_a_unit_of_compute_is_proposed_for_flops_and_never_for_tokens(read, params, header, factor):
    text = table(**{params: PARAMS, header: 6 * PARAMS * TOKENS / factor, "loss": LOSSES})
    options = told(read, text)
    assert options["map"].pop("flops") == header
    assert options["map"] == ({} if params == "n_params" else {"params": params})
    assert options["scale"] == {header: factor}
    runs = read(text, map={**options["map"], "flops": header}, scale=options["scale"])
    np.testing.assert_allclose(runs["tokens"], TOKENS, rtol=1e-8)


@pytest.mark.parametrize("header", ["TFLOP/s", "tflops_per_gpu", "lr", "gpu_hours"])
def test_a_rate_or_another_number_is_not_proposed_for_compute(read, header):
    text = table(n_params=PARAMS, **{header: (1, 2, 3)}, loss=LOSSES)
    assert told(read, text) == {"map": {"tokens": "COLUMN"}, "scale": {}}
