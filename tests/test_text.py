"""Text that cannot harm a terminal."""

from itertools import pairwise

import pytest

from jaxscale import digits
from jaxscale.text import number_in, numbers_in, row_list, visible


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\u202eabc", "\x00", "\x9b2J", "\u2028"])
def test_no_character_that_moves_the_cursor_is_left(text):
    assert visible(text).isprintable()


def test_text_that_was_escaped_before_is_left_alone():
    assert visible(r"'\x1b[31m'") == r"'\x1b[31m'"


def test_long_lists_of_rows_end_in_a_count():
    assert row_list((4,)) == "row 4"
    assert row_list(tuple(range(1, 8))) == "rows 1, 2, 3, 4, 5 and 2 more"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("7B", 7e9), ("2T", 2e12), ("1e5", 1e5), ("2.6 B", 2.6e9), ("780M", 7.8e8), ("4k", 4e3), (" 5 ", 5.0),
        ("-3", -3.0), ("B", None), ("7 Bn", None), ("1e3K", None), ("7_000", None), ("٧B", None), ("", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_reports_print_it(typed, number):
    assert number_in(typed) == number


@pytest.mark.parametrize("value", [1.53e9, 7.8e8, 869e6, 19.2e9, 9.42e9, 2e12, 12e3])
def test_a_count_that_is_printed_is_typed_again(value):
    assert number_in(digits.count(value)) == value


def test_a_range_is_evenly_apart_in_logarithms_and_has_its_ends():
    assert numbers_in("1e20:1e24:5") == [1e20, 1e21, 1e22, 1e23, 1e24]
    found = numbers_in("3e8:7B:4")
    assert (found[0], found[-1], len(found)) == (3e8, 7e9, 4)
    ratios = [high / low for low, high in pairwise(found)]
    assert max(ratios) / min(ratios) - 1 < 1e-12
    assert numbers_in("7B,1e8:1e9:2,x") == [7e9, 1e8, 1e9, None]


@pytest.mark.parametrize(
    "typed", ["1:2", "1:2:3:4", "0:1:3", "1:2:1", "1:2:2.5", "1:inf:3", "a:b:c", "-1:1:3", "1:2:1e9"]
)
def test_what_is_no_range_is_no_number(typed):
    assert numbers_in(typed) == [None]
