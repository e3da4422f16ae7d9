"""Numbers as people read them."""

import math

import pytest

from jaxscale.digits import ABSENT, count, scientific, seconds, significant, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.8172, "1.8172"),
        (477.8, "477.80"),
        (698338.0, "698340"),
        (0.3473, "0.34730"),
        (0.0012345678, "0.0012346"),
        (1.6e-10, "1.6e-10"),
        (6.4e13, "6.4e13"),
        (999999.6, "1e6"),
        (0.0, "0"),
        (-2.5, "-2.5000"),
        (math.nan, ABSENT),
        (math.inf, ABSENT),
        (None, ABSENT),
    ],
)
def test_a_coef_has_five_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.94e9, "2.94B"),
        (614e9, "614B"),
        (1.46e12, "1.46T"),
        (7e7, "70.0M"),
        (999.9e6, "1.00B"),
        (1500, "1.50K"),
        (12, "12.0"),
        (3e15, "3e15"),
        (0.5, "5e-1"),
        (math.nan, ABSENT),
    ],
)
def test_a_count_has_three_digits_and_a_letter(value, text):
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1e21, "1e21"), (5.76e23, "5.76e23"), (1.23456e-5, "1.235e-5"), (math.nan, ABSENT)]
)
def test_a_budget_is_written_as_it_was_typed(value, text):
    assert scientific(value) == text


def test_a_span_without_limits_is_one_dash():
    assert span(ABSENT, ABSENT) == ABSENT
    assert span("1", "2") == "1 … 2"


def test_seconds_keep_two_digits():
    assert [seconds(value) for value in (0.1234, 1.64, 63.2)] == ["0.12 s", "1.6 s", "63 s"]
