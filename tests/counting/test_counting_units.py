"""Budgets in other units than FLOP: the arithmetic of the unit, and a refusal that says what is missing."""

import pytest

from jaxscale.counting import PF_DAY, flops_of, flops_of_hours
from jaxscale.errors import UsageError


@pytest.mark.parametrize(
    ("text", "flops"),
    [
        ("1e21", 1e21),
        ("100PF-days", 100 * 1e15 * 86400),
        ("100 PF-days", 100 * PF_DAY),
        ("1e3 petaflop/s-days", 1e3 * PF_DAY),
        ("3 ZFLOP", 3e21),
        ("1e5 H100-hours@0.4", 1e5 * 3600 * 989.4e12 * 0.4),
        ("1e5H100-hours@0.4", 1e5 * 3600 * 989.4e12 * 0.4),
        ("24 a100-hours @ 50%", 24 * 3600 * 312e12 * 0.5),
        ("1 A100-day@0.5", 24 * 3600 * 312e12 * 0.5),
    ],
)
def test_a_budget_is_its_number_times_its_unit(text, flops):
    assert flops_of(text) == pytest.approx(flops, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e5 H100-hours", "@0.4 for 40 %"),
        ("1e5 H100-hours@40", "utilisation"),
        ("1e5 H100-hours@0", "utilisation"),
        ("1e5 H101-hours@0.4", "H100"),
        ("1e5 GPU-hours@0.4", "known: |Known|V100"),
        ("300B", "is no budget"),
        ("300B tokens", "is no budget"),
        ("5 FLOP/s", "is no budget"),
        ("-1", "not a positive"),
        ("lots", "is no budget"),
        ("", "is no budget"),
    ],
)
def test_what_is_no_budget_is_refused_with_what_is_missing(text, words):
    with pytest.raises(UsageError, match=words):
        flops_of(text)


def test_gpt_3_took_its_published_3640_pf_days_of_hours():
    """Brown et al. 2020, table D.1: 3.64e3 PF-days; in hours of one V100 at its peak."""
    hours = 3.64e3 * PF_DAY / (3600 * 125e12)
    assert flops_of_hours(hours, "V100", utilisation=1.0) == pytest.approx(3.14e23, rel=2e-3)
