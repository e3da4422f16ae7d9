"""Numbers as people read them."""

import math
import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jaxscale.digits import (
    ABSENT,
    count,
    count_label,
    data_size,
    number_label,
    scientific,
    seconds,
    short,
    signed,
    significant,
    span,
)
from jaxscale.text import number_in

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.floats(1e-5, 1e8) | st.floats(-1e8, -1e-5)
"""Numbers of the sizes that are written in full, and some beyond."""
DIGITS = st.integers(1, 12)


def unit_of(value, digits):
    """Return the unit of the last of so many significant digits of a number, exactly."""
    size, exponent = abs(Fraction(value)), 0
    while size >= 10:
        size, exponent = size / 10, exponent + 1
    while 0 < size < 1:
        size, exponent = size * 10, exponent - 1
    return Fraction(10) ** (exponent - digits + 1)


def is_nearest(text, value, digits):
    """Return whether a text is a number within half a unit of the last digit, exactly, of a value."""
    return abs(Fraction(text) - Fraction(value)) <= unit_of(value, digits) / 2


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


@given(value=FINITE | PLAIN, digits=DIGITS)
@example(value=1.7976931348623157e308, digits=1)  # rounds to a number beyond float64
def test_a_rounded_number_is_within_half_a_unit_of_its_last_digit(value, digits):
    for rounded in (significant, scientific):
        assert is_nearest(rounded(value, digits), value, digits)


@given(value=PLAIN, digits=DIGITS)
def test_a_rounded_number_has_its_digits_and_no_other_sign(value, digits):
    text = significant(value, digits)
    written = re.sub("[-.]|e.*", "", text).lstrip("0")
    whole = text.lstrip("-").partition(".")[0]
    assert len(written) <= max(digits, len(whole))
    assert len(written) == digits or "e" in text or len(whole) > digits  # 698340 has five of them
    assert significant(-value, digits) == (text[1:] if value < 0 else f"-{text}")


@given(value=FINITE | PLAIN, digits=st.integers(1, 12))
def test_rounding_twice_is_rounding_once(value, digits):
    for rounded in (significant, scientific):
        once = rounded(value, digits)
        if math.isfinite(float(once)):
            assert rounded(float(once), digits) == once


@given(values=st.tuples(PLAIN, PLAIN), digits=DIGITS)
def test_rounding_keeps_the_order(values, digits):
    low, high = (float(significant(value, digits)) for value in sorted(values))
    assert low <= high


@given(value=st.floats(1e-3, 1e18))
def test_a_count_can_be_typed_as_it_is_printed(value):
    assert number_in(count(value)) == pytest.approx(value, rel=5e-3 * (1 + 1e-12))
    if "$" not in (label := count_label(value)):
        assert number_in(label) == pytest.approx(value, rel=5e-4 * (1 + 1e-12))


@given(value=FINITE | PLAIN)
def test_a_short_number_loses_nothing_and_is_no_longer_than_pythons(value):
    assert float(short(value)) == value
    assert len(short(value)) <= len(repr(value))


@given(value=st.floats(1e-3, 9e5) | st.floats(1.0, 9e17), digits=st.integers(1, 4))
@example(value=9.96, digits=2)
@example(value=999_900.0, digits=2)
def test_no_number_is_written_with_the_zeros_and_signs_of_an_exponent_of_python(value, digits):
    for text in (seconds(value), data_size(value), signed(-value, digits), count(value), significant(value, digits)):
        assert not re.search(r"e\+|e-?0\d", text)
    size, unit = data_size(value).split()
    assert float(size) < 1000.0 or unit == "PB"


@given(value=st.floats(1e5, 1e300) | st.floats(1e-300, 1e-3, exclude_max=True))
@example(value=9.9996e5)
def test_a_power_of_ten_has_one_digit_in_front_of_the_point(value):
    found = re.fullmatch(r"\$(?:([1-9](?:\.\d+)?)\\times )?10\^\{(-?\d+)\}\$", number_label(value))
    assert found is not None
    assert found[1] != "1"
    assert is_nearest(f"{found[1] or 1}e{found[2]}", value, 3)
