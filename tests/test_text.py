"""Text that cannot harm a terminal."""

import pytest

from jaxscale.text import row_list, visible


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\u202eabc", "\x00", "\x9b2J", "\u2028"])
def test_no_character_that_moves_the_cursor_is_left(text):
    assert visible(text).isprintable()


def test_text_that_was_escaped_before_is_left_alone():
    assert visible(r"'\x1b[31m'") == r"'\x1b[31m'"


def test_long_lists_of_rows_end_in_a_count():
    assert row_list((4,)) == "row 4"
    assert row_list(tuple(range(1, 8))) == "rows 1, 2, 3, 4, 5 and 2 more"
