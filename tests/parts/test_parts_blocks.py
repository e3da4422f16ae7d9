"""Bands of replicates that are read block by block are those of all at once, to the bit."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.intervals import Sample
from jaxscale.intervals import blocks as module
from jaxscale.intervals.blocks import Blocks

RANDOM = np.random.default_rng(4)
SMOOTH = RANDOM.standard_normal((5000, 3))
GAPS = np.where(RANDOM.random((5000, 3)) < 0.02, np.nan, SMOOTH)
TIES = np.maximum(RANDOM.standard_normal(5001), 0.3)
ENDS = np.where(RANDOM.random(5000) < 0.03, np.inf, np.exp(SMOOTH[:, 0]))
SORTED = np.sort(SMOOTH, axis=0)
SAMPLES = {
    "smooth": SMOOTH, "gaps": GAPS, "ties": TIES, "infinite": ENDS, "sorted": SORTED, "few": SMOOTH[:7],
    "one": SMOOTH[:1, 0], "none": np.full((9, 2), np.nan),
}  # fmt: skip


def in_blocks(values, size=311):
    return Blocks(values.shape, lambda: iter([values[at : at + size] for at in range(0, len(values), size)]))


def assert_same(one, other):
    for name in ("lower", "centre", "upper"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.n_used, one.n_total, one.level, one.method) == (other.n_used, other.n_total, other.level, other.method)


@pytest.mark.parametrize("at_once", [8, 90_000, 1 << 28], ids=["a column", "two columns", "everything"])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_percentile_band_is_that_of_all_at_once(monkeypatch, name, level, at_once):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    values = SAMPLES[name]
    assert_same(js.band(in_blocks(values), level=level), js.band(values, level=level))


@pytest.mark.parametrize("bound", [0.3, 3.7])
def test_a_one_sided_band_is_that_of_all_at_once(bound):
    values = np.clip(TIES, 0.3, 3.7)
    one, other = (js.band(Sample(part, np.asarray(bound), bound=bound)) for part in (in_blocks(values), values))
    assert_same(one, other)


@pytest.mark.parametrize("method", ["basic", "normal"])
def test_other_intervals_read_all_blocks(method):
    one, other = (js.band(Sample(part, np.zeros(3)), method=method) for part in (in_blocks(SMOOTH), SMOOTH))
    assert_same(one, other)


def test_blocks_stand_for_an_array():
    blocks = in_blocks(SMOOTH)
    assert (len(blocks), blocks.ndim) == (5000, 2)
    np.testing.assert_array_equal(np.asarray(blocks), SMOOTH)
    np.testing.assert_array_equal(blocks[3:5, 0], SMOOTH[3:5, 0])
    np.testing.assert_array_equal(np.asarray(blocks / in_blocks(GAPS)), SMOOTH / GAPS)
