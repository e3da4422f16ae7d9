"""Parquet: the same judgement as for text, whatever the types."""

import builtins
import datetime
from decimal import Decimal

import numpy as np
import pytest

from jaxscale.errors import MissingDependencyError, RunsError
from jaxscale.runs import opening, read_runs

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

PARAMS = pa.array([10**8, 2 * 10**8])
TOKENS = pa.array([2e9, 4e9])
LOSS = pa.array([3.5, 3.25])


@pytest.fixture
def read(tmp_path):
    def read(options=None, **columns):
        path = tmp_path / "runs.parquet"
        parquet.write_table(pa.table({"params": PARAMS, "tokens": TOKENS, "loss": LOSS, **columns}), path)
        return read_runs(path, **(options or {}))

    return read


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(pa.array([Decimal("3.50"), Decimal("3.25")]), id="decimal"),
        pytest.param(pa.array([3.5, 3.25]).dictionary_encode(), id="categorical"),
        pytest.param(pa.array(["3.5", "3.25"]).dictionary_encode(), id="categorical-text"),
        pytest.param(pa.array([3.5, 3.25], pa.float32()), id="float32"),
        pytest.param(pa.array([3.5, 3.25], pa.float16()), id="float16"),
        pytest.param(pa.array(["3.5", "3.25"], pa.large_string()), id="large-text"),
    ],
)
def test_a_number_of_any_type_is_read_by_its_value(read, loss):
    np.testing.assert_array_equal(read(loss=loss).loss, [3.5, 3.25])


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        pytest.param(pa.array([[3.5], [3.25]]), ("'list<", "not a number"), id="list"),
        pytest.param(pa.array([{"a": 1}, {"a": 2}]), ("'struct<", "not a number"), id="struct"),
        pytest.param(pa.array([True, False]), ("'True'", "true or false"), id="boolean"),
        pytest.param(pa.array([3, None], pa.int64()), ("row 2", "missing", "--missing drop"), id="nullable"),
        pytest.param(pa.array([None, None]), ("2 missing", "row 1"), id="null"),
        pytest.param(pa.array([3.5, float("nan")]), ("row 2", "missing"), id="nan"),
        pytest.param(pa.array([3.5, float("inf")]), ("row 2", "infinite"), id="infinite"),
        pytest.param(pa.array([datetime.date(2024, 1, 1)] * 2), ("'2024-01-01'", "not a number"), id="date"),
        pytest.param(pa.array([b"\xff\xfe", b"1"]), ("'binary'", "not a number"), id="binary"),
    ],
)
def test_a_loss_that_is_no_number_is_named(read, loss, words):
    with pytest.raises(RunsError) as caught:
        read(loss=loss)
    assert not [word for word in (*words, "runs.parquet", "'loss'") if word not in str(caught.value)], caught.value


def test_columns_that_are_not_needed_may_have_any_type(read):
    runs = read(
        nested=pa.array([[1], [2]]),
        when=pa.array([datetime.datetime(2024, 1, 1)] * 2, pa.timestamp("ns", "Europe/Zurich")),
        ok=pa.array([True, None]),
        seed=pa.array([1, None], pa.int32()),
        blob=pa.array([b"\xff", b"\xfe"]),
    )
    assert runs.labels["ok"].tolist() == ["True", ""]
    np.testing.assert_array_equal(runs["seed"], [1, np.nan])
    assert {"nested", "when", "blob"} <= set(runs.labels)


def test_integers_that_overflow_int64_when_multiplied_do_not(read):
    runs = read(params=pa.array([7 * 10**10] * 2), tokens=pa.array([10**13, 10**19], pa.uint64()))
    np.testing.assert_allclose(runs["flops"], [4.2e24, 4.2e30], rtol=1e-15)
    assert "large-integers" in [finding.code for finding in runs.findings]


def test_numbers_stored_as_text_are_accepted_with_a_note(read):
    runs = read(params=pa.array(["1e8", "2e8"]))
    assert [finding.code for finding in runs.findings] == ["numeric-text"]


def test_every_cut_of_a_file_is_refused_in_our_own_words(tmp_path):
    path = tmp_path / "runs.parquet"
    parquet.write_table(pa.table({"params": PARAMS, "tokens": TOKENS, "loss": LOSS}), path)
    whole = path.read_bytes()
    for length in range(4, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(RunsError, match="corrupt, cut short or encrypted"):
            read_runs(path)


def test_damage_anywhere_is_either_harmless_or_refused(tmp_path):
    path = tmp_path / "runs.parquet"
    parquet.write_table(pa.table({"params": PARAMS, "tokens": TOKENS, "loss": LOSS}), path)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    for place in rng.integers(4, len(whole), size=60):
        damaged = whole.copy()
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert len(read_runs(path)) <= 2
        except RunsError as error:
            said = str(error)
        else:
            said = ""
        assert len(said.splitlines()) <= 3


def test_a_file_that_unpacks_to_more_than_memory_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "runs.parquet"
    many = np.ones(1_000_000)
    parquet.write_table(pa.table({"params": many, "tokens": many, "loss": many}), path)
    monkeypatch.setattr(opening, "MEMORY_LIMIT", 1e7)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(RunsError, match="240 MB"):
        read_runs(path)


def test_without_pyarrow_the_install_line_is_given(read, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    def read_without():
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", without)
            read_runs(path)

    read()
    path = read().origin.source
    with pytest.raises(MissingDependencyError, match=r"pip install 'jaxscale\[parquet\]'") as caught:
        read_without()
    assert caught.value.exit_code == 5
