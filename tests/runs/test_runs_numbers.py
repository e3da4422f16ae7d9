"""Text to float64: exactly what was written, or nothing; under `units`, sizes as people write them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale.errors import RunsError
from jaxscale.runs import read_runs
from jaxscale.runs.numbers import Kind, NumberStyle, numbers

TINY = float(np.finfo(np.float64).tiny)


ordinary = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


def column(*cells):
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


@settings(max_examples=100, deadline=None)
@given(st.lists(ordinary, min_size=1, max_size=20))
def test_what_repr_writes_is_read_back_bit_for_bit(values):
    read = numbers(column(*map(repr, values)))
    np.testing.assert_array_equal(read.values.view(np.int64), np.array(values).view(np.int64))
    assert not read.kind.any()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=8), ordinary)
def test_a_neighbour_never_changes_how_a_cell_is_read(texts, value):
    alone = [numbers(column(text)) for text in texts]
    together = numbers(column(*texts, repr(value)))
    assert together.kind.tolist() == [*(int(read.kind[0]) for read in alone), Kind.NUMBER]
    assert together.values[-1] == value


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=-(10**25), max_value=10**25))
def test_grouped_integers_are_read_as_the_same_integer(value):
    read = numbers(column(f"{value:,}"), NumberStyle(thousands=","))
    assert read.values[0] == float(value)


@settings(max_examples=100, deadline=None)
@given(ordinary)
def test_a_decimal_comma_is_read_as_the_same_number(value):
    assert numbers(column(repr(value).replace(".", ",")), NumberStyle(decimal=",")).values[0] == value


@pytest.mark.parametrize(("suffix", "factor"), [("K", 10**3), ("M", 10**6), ("B", 10**9), ("T", 10**12), ("b", 10**9)])
def test_a_unit_multiplies_exactly(suffix, factor):
    # 3 × 10^k below 2^53 is an integer that float64 holds exactly.
    assert numbers(column(f"0.3{suffix}"), NumberStyle(units=True)).values[0] == 3 * factor // 10


@pytest.mark.parametrize(
    "text",
    ["0x10", "0b1", "1_000", "1,000", "１２", "١٢", "1e400", "-1e400", "1e-400", "5e-324", "--1", "1e", "e5", ".", "+"],
)
def test_a_number_written_otherwise_or_out_of_range_is_unreadable(text):
    assert numbers(column(text)).kind.tolist() == [Kind.UNREADABLE]


@pytest.mark.parametrize(
    "text",
    ["1 2", "1e5.0", "1j", "True", "1.2.3", "$5", "5%", "−1", "1\n2", "infinit", "1B", "nan5", "1d5", "'1'", "1-2"],
)
def test_text_that_is_not_plainly_one_number_is_unreadable(text):
    assert numbers(column(text)).kind.tolist() == [Kind.UNREADABLE]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.", 1.0), (".5", 0.5), ("+2", 2.0), (" 3 ", 3.0), ("1E3", 1e3), ("0e-999", 0.0), ("-0", 0.0), ("007", 7.0)],
)
def test_every_plain_decimal_is_read(text, value):
    assert numbers(column(text)).values[0] == value


def test_the_smallest_normal_number_is_read():
    assert numbers(column(repr(TINY))).values[0] == TINY


@pytest.mark.parametrize("text", ["1.000", "1.000.000"])
def test_points_as_thousands_are_never_a_decimal_point(text):
    style = NumberStyle(decimal=",", thousands=".")
    assert numbers(column(text), style).values[0] == int(text.replace(".", ""))


UNITS = NumberStyle(units=True, role="tokens")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300 B", 300e9), ("300bn", 300e9), ("300 billion", 300e9), ("300B tokens", 300e9), ("0.3T", 300e9),
        ("1.4G", 1.4e9), ("1,400M", 1.4e9), ("0.41B", 0.41e9), ("70m", 70e6), ("300k", 300e3), ("12,345.5K", 12345500),
        ("3.0e11", 3e11), ("3.0e11 tokens", 3e11), ("2.00×10¹⁹", 2e19), ("2.00x10^19", 2e19), ("2*10**19", 2e19),
        ("10^19", 1e19), ("10¹⁹ tokens", 1e19), ("2.9e-3", 2.9e-3), ("5×10⁻³", 5e-3), ("-3B", -3e9),
    ],
)  # fmt: skip
def test_a_number_with_a_unit_is_read_exactly_where_units_are_asked_for(text, value):
    read = numbers(column(text), UNITS)
    assert read.kind.tolist() == [Kind.NUMBER]
    assert read.values[0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 EFLOP", 3e18),
        ("3e3 PFLOP", 3e18),
        ("100 PF-days", 8.64e21),
        ("2 petaflop/s-days", 1.728e20),
        ("7ZFLOP", 7e21),
    ],
)
def test_compute_is_read_in_its_own_units(text, value):
    assert numbers(column(text), NumberStyle(units=True, role="flops")).values[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "300B params", "300B nats", "3 EFLOP", "300GB", "1,4B", "0,400M", "1,400", "1e3B", "300B+", "~300B", "<3B",
        "5E", "2.9 ± 0.002", "2.9(2)", "1-2B", "300B tokens seen", "2.00×10^", "5 FLOP/s", "3 µB", "10^1٢",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_not_read_as_a_number_of_tokens(text):
    assert numbers(column(text), UNITS).kind.tolist() == [Kind.UNREADABLE]


@pytest.mark.parametrize("text", ["300 B", "300bn", "1.4G", "1,400M", "300B tokens", "2.00×10¹⁹", "70m", "300 billion"])
def test_no_unit_is_read_unasked(text):
    assert numbers(column(text)).kind.tolist() == [Kind.UNREADABLE]


def test_a_decimal_comma_before_a_unit_is_a_comma_and_a_point_there_is_refused():
    style = NumberStyle(decimal=",", units=True)
    assert numbers(column("1,4B"), style).values[0] == 1.4e9
    assert numbers(column("1.400M"), style).kind.tolist() == [Kind.UNREADABLE]
    assert numbers(column("1.400M"), NumberStyle(decimal=",", thousands=".", units=True)).values[0] == 1.4e9


def test_without_the_option_every_such_cell_is_refused_with_the_option_that_reads_it(field):
    with pytest.raises(RunsError, match="--units reads"):
        read_runs(field / "unit_words.csv")


def test_a_lower_limit_is_no_number_and_its_row_can_be_left_out_as_the_message_says(field):
    with pytest.raises(RunsError, match="1 unreadable") as caught:
        read_runs(field / "unit_words.csv", units=True)
    assert "row 8 (line 9) '300B+' is a limit" in str(caught.value)
    assert '--where "row != 8"' in str(caught.value)
    runs = read_runs(field / "unit_words.csv", units=True, where=["row != 8"])
    np.testing.assert_array_equal(runs["params"], [70e6, 160e6, 0.41e9, 1.4e9, 1.4e9, 1.4e9, 1.4e9])
    np.testing.assert_array_equal(runs["tokens"], np.full(7, 3e11))


def test_runs_are_selected_by_their_row_in_a_sheet_and_afterwards(field):
    runs = read_runs(field / "base.csv", where=["row > 3 and row != 5"])
    assert runs.row.tolist() == [4, *range(6, 26)]
    assert runs.where("row <= 7").row.tolist() == [4, 6, 7]


def test_a_column_of_that_name_goes_before_the_number_of_the_row(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("row,params,tokens,loss\n7,1e8,1e9,3\n8,1e8,2e9,2.9\n")
    assert read_runs(path, where=["row == 8"]).loss.tolist() == [2.9]
