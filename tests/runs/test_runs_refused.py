"""Bad tables, one per row: what is refused, with which exit code, and what the one to three lines must say."""

import gzip
import io
import json
import pickle
import sqlite3
import zipfile
from dataclasses import dataclass, field

import numpy as np
import pytest

from jaxscale.errors import JaxscaleError, RunsError, UsageError
from jaxscale.runs import read_runs

GOOD = "params,tokens,loss\n1e8,2e9,3.5\n2e8,4e9,3.2\n4e8,8e9,3.0\n"


@dataclass(frozen=True)
class Bad:
    """A table, how it is read, the words that the message must hold, and the exception."""

    name: str
    content: str | bytes
    words: tuple[str, ...]
    options: dict = field(default_factory=dict)
    error: type[JaxscaleError] = RunsError
    file: str = "runs.csv"


def with_cell(cell, column="loss", row=2):
    """The good table with one cell replaced; the cell is quoted so that it may hold anything."""
    lines = [line.split(",") for line in GOOD.splitlines()]
    lines[row][lines[0].index(column)] = '"' + cell.replace('"', '""') + '"'
    return "\n".join(",".join(line) for line in lines) + "\n"


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, loss=np.ones(3))
    return buffer.getvalue()


def database(folder):
    path = folder / "runs.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table runs (params, tokens, loss)")
    connection.commit()
    connection.close()
    return path.read_bytes()


CASES = (
    Bad("case-02-empty", "", ("no header found",)),
    Bad("case-02-only-spaces", " \n\t\n  \n", ("no header found",)),
    Bad("case-03-header-only", "params,tokens,loss\n", ("0 runs",)),
    Bad("case-04-no-tokens", "params,loss,tokns\n1,2,3\n", ("tokens", "'tokns'", "Nearest", "--map tokens=")),
    Bad("case-04-no-loss", "params,tokens,score\n1,2,3\n", ("no column for loss", "'score'", "--map loss=")),
    Bad("case-04-no-header", "1e8,2e9,3.5\n2e8,4e9,3.2\n", ("line 1", "header is missing", "params,tokens,loss")),
    Bad("case-04-input-of-a-law", GOOD, ("unique_tokens", "--map"), {"inputs": ("params", "tokens", "unique_tokens")}),
    Bad("case-04-map-to-nothing", GOOD, ("'Prams'", "'params'"), {"map": {"params": "Prams"}}),
    Bad("case-04-map-unknown-role", GOOD, ("'parms'", "'params'"), {"map": {"parms": "N"}}, UsageError),
    Bad(
        "case-05-two-roles-one-column", GOOD, ("'params'", "tokens"), {"map": {"tokens": "params", "params": "params"}}
    ),
    Bad(
        "case-05-two-columns-one-role",
        "n_params,num_params,D,L\n1,2,1,1\n",
        ("'n_params'", "'num_params'", "--map params="),
    ),
    Bad("case-06-duplicate-header", "params,params,tokens,loss\n1,2,3,4\n", ("'params' (2 times)", "rename")),
    Bad("case-06-duplicate-when-stripped", "loss, loss,params,tokens\n1,2,3,4\n", ("'loss' (2 times)",)),
    Bad("case-08-utf-16", GOOD.encode("utf-16"), ("byte 0", "line 1", "--encoding utf-16")),
    Bad("case-08-utf-16-no-mark", GOOD.encode("utf-16-le"), ("byte 1", "NUL", "--encoding utf-16-le")),
    Bad("case-08-latin-1", GOOD.replace("loss", "loß", 1).encode("latin-1"), ("byte 16", "0xdf", "--encoding latin-1")),
    Bad("case-08-nul", GOOD.encode() + b"\0\0", (f"byte {len(GOOD)}", "line 5", "NUL")),
    Bad("case-08-no-such-encoding", GOOD, ("--encoding 'utf-9'", "utf-8"), {"encoding": "utf-9"}, UsageError),
    Bad("case-09-semicolon", GOOD.replace(",", ";"), ("looks like ';'", "use --sep ';'")),
    Bad("case-09-tab", GOOD.replace(",", "\t"), ("looks like tab", "use --sep tab")),
    Bad("case-09-comma-as-semicolon", GOOD, ("looks like ','", "use --sep ','"), {"sep": ";"}),
    Bad("case-09-semicolon-and-decimal-comma", "N;D;L\n1e8;2e9;3,5\n2e8;4e9;3,2\n", ("looks like ';'",)),
    Bad("case-09-bad-separator", GOOD, ("--sep ';;'",), {"sep": ";;"}, UsageError),
    Bad("case-10-decimal-comma", "N;D;L\n1e8;2e9;3,5\n", ("row 1", "'L'", "'3,5'", "--decimal ,"), {"sep": ";"}),
    Bad("case-10-decimal-point", with_cell("3.5"), ("decimal point", "--decimal"), {"decimal": ","}),
    Bad("case-11-thousands", with_cell("1,000,000", "params"), ("row 2", "'params'", "'1,000,000'", "--thousands ,")),
    Bad("case-11-thousands-european", with_cell("1.000.000", "params"), ("'1.000.000'", "--thousands . reads")),
    Bad("case-11-thousands-swiss", with_cell("1'000'000", "params"), ('--thousands "\'" reads',)),
    Bad("case-11-thousands-spaced", with_cell("1 000 000", "params"), ("--thousands ' ' reads",)),
    Bad(
        "case-11-thousands-and-comma",
        "N;D;L\n1.000,5;2e9;3,5\n2e8;2e9;3,4\n",
        ("'1.000,5'", "--thousands . reads"),
        {"sep": ";", "decimal": ","},
    ),
    Bad("case-11-underscores", with_cell("1_000_000", "params"), ("'1_000_000'", "--thousands _")),
    Bad("case-11-thousands-misplaced", with_cell("10,00", "params"), ("'10,00'",), {"thousands": ","}),
    Bad("case-11-same-marks", GOOD, ("--decimal", "--thousands"), {"decimal": ",", "thousands": ","}, UsageError),
    Bad("case-12-unit-suffix", with_cell("1B", "params"), ("row 2 (line 3)", "'1B'", "--units")),
    Bad("case-12-words", with_cell("7e9 weeks", "params"), ("'7e9 weeks'", "words"), {"units": True}),
    Bad("case-12-noun", with_cell("7e9 params", "params"), ("'7e9 params'", "--units")),
    Bad("case-12-power-of-ten", with_cell("2.0×10¹⁹", "params"), ("has a unit", "--units")),
    Bad("case-12-tokens-in-params", with_cell("3B tokens", "params"), ("is a number of tokens",), {"units": True}),
    Bad("case-12-decimal-comma", with_cell("1,4B", "params"), ("--decimal ,",), {"units": True}),
    Bad("case-12-point", with_cell("1.400M", "params"), ("--thousands .",), {"units": True, "decimal": ","}),
    Bad("case-12-limit", with_cell("3B+", "params"), ("a limit", '--where "row != 2"'), {"units": True}),
    Bad("case-12-error", with_cell("3.2 ± 0.002"), ("an error beside", "column of its own"), {"units": True}),
    Bad("case-12-unit-and-exponent", with_cell("1e3B", "params"), ("'1e3B'",), {"units": True}),
    Bad("case-13-short-row", GOOD + "1e9,2e10\n", ("3 fields", "line 5 has 2")),
    Bad("case-13-long-row", GOOD + "1e9,2e10,3,4\n", ("3 fields", "line 5 has 4")),
    Bad("case-13-index-without-name", GOOD.replace("\n", "\n0,")[:-2], ("line 2 has 4", "name the first column")),
    Bad("case-13-comment-line", GOOD + "# a second sweep\n", ("line 5", "'#'")),
    Bad("case-13-unclosed-quote", GOOD + '"1e9,2e10,3.0\n', ("line", "quote")),
    Bad("case-13-repeated-header", GOOD + GOOD, ("line 5", "joined")),
    Bad("case-14-hexadecimal", with_cell("0x10"), ("runs.csv", "row 2 (line 3)", "'loss'", "'0x10'", "decimal")),
    Bad("case-14-too-large", with_cell("1e400"), ("'1e400'", "too large")),
    Bad("case-14-too-small", with_cell("1e-400"), ("'1e-400'", "too close to zero")),
    Bad("case-14-subnormal", with_cell("4e-320"), ("'4e-320'", "too close to zero")),
    Bad("case-14-arabic-digits", with_cell("١٢"), ("'١٢'", "digits other than 0 to 9")),
    Bad("case-15-blank", with_cell(""), ("1 cell", "1 missing", "row 2 (line 3)", "'loss'", "''", "--missing drop")),
    *(
        Bad(f"case-15-{word}", with_cell(word), ("1 cell", "1 missing", f"'{word}'", "--missing drop"))
        for word in ("NaN", "nan", "NA", "None", "null", "N/A")
    ),
    Bad("case-15-every-row", "N,D,L\n1,2,\n3,4,\n", ("0 runs are left", "--map"), {"missing": "drop"}),
    *(Bad(f"case-16-{word}", with_cell(word), ("1 cell", "1 infinite", f"'{word}'")) for word in ("Infinity", "-inf")),
    *(
        Bad(f"case-17-{column}-{cell}", with_cell(cell, column), ("row 2", f"'{column}'", f"'{cell}'", "above zero"))
        for column in ("params", "tokens")
        for cell in ("0", "-1e9")
    ),
    Bad("case-17-flops-0", "N,D,C,L\n1e8,2e9,0,3\n", ("'C' (flops)", "row 1", "above zero")),
    Bad("case-18-loss-0", with_cell("0"), ("'loss'", "'0'", "linear")),
    Bad("case-18-loss-negative", with_cell("-1.5"), ("'-1.5'", "linear")),
    Bad("case-19-negative-weight", "N,D,L,weight\n1,2,3,-1\n1,2,3,1\n", ("row 1", "'weight'", "'-1'", "above zero")),
    Bad("case-19-zero-weight", "N,D,L,weight\n1,2,3,0\n1,2,3,1\n", ("row 1", "'weight'", "'0'", "above zero")),
    Bad("case-19-weight-nan", "N,D,L,weight\n1,2,3,nan\n1,2,3,1\n", ("row 1", "'weight'", "missing")),
    Bad("case-19-all-zero-weights", "N,D,L,weight\n1,2,3,0\n1,2,3,0\n", ("no effective data", "'weight'")),
    Bad("case-20-boolean", with_cell("True"), ("'True'", "not a number")),
    Bad("case-20-text", with_cell("diverged"), ("runs.csv", "row 2 (line 3)", "'loss'", "'diverged'", "not a number")),
    Bad("case-28-xlsx", zipped("[Content_Types].xml", "xl/workbook.xml"), ("workbook", "corrupt", "CSV")),
    Bad("case-28-xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, ("Excel", ".xls", "CSV")),
    Bad("case-28-zip", zipped("runs.csv"), ("ZIP", "Unpack")),
    Bad("case-28-gzip", gzip.compress(GOOD.encode()), ("gzip", "'-'")),
    Bad("case-28-json", json.dumps([{"params": 1}]), ("JSON", "CSV")),
    Bad("case-28-parquet-named-csv", b"PAR1" + b"\0" * 20, ("Parquet", ".parquet")),
    Bad("case-28-web-page", "<!DOCTYPE html><html>login</html>", ("web page", "raw file")),
    Bad("case-85-pickle", pickle.dumps({"params": [1]}), ("pickle", "never read")),
    Bad("case-85-npz", npz(), (".npz", "never read")),
    Bad("case-85-pickle-named-parquet", pickle.dumps([1]), ("pickle", "never read"), file="runs.parquet"),
    Bad("case-86-columns", ",".join(f"c{i}" for i in range(5000)) + "\n", ("5000 columns", "4096")),
    Bad("case-27-csv-named-parquet", GOOD, ("rename it to end in .csv",), file="runs.parquet"),
    Bad("comment-before-header", "# params,tokens,loss\n1,2,3\n", ("line 1", "'#'", "Delete")),
    Bad("nothing-selected", GOOD, ("no row of 3 is left", "'loss < 1'"), {"where": ["loss < 1"]}),
    Bad("group-missing", "N,D,L,run\n1,2,3,a\n1,2,3,\n", ("'run' (group)", "row 2", "missing"), {"group": "run"}),
    Bad("where-as-one-text", GOOD, ("where=['loss < 4']",), {"where": "loss < 4"}, UsageError),
    Bad("group-unknown", GOOD, ("--group 'rn'",), {"group": "rn"}),
    Bad("missing-unknown-word", GOOD, ("'impute'", "refuse, drop"), {"missing": "impute"}, UsageError),
    Bad("overflowing-flops", "N,D,L\n1e200,1e200,3\n", ("flops = 6 params tokens", "row 1")),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_table_is_refused_with_what_where_and_what_to_do(case, tmp_path):
    path = tmp_path / case.file
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    with pytest.raises(JaxscaleError) as caught:
        read_runs(path, **case.options)
    message = str(caught.value)
    assert type(caught.value) is case.error
    assert caught.value.exit_code == (2 if case.error is UsageError else 3)
    assert not [word for word in case.words if word not in message], message
    assert case.error is UsageError or case.file in message
    assert 1 <= len(message.splitlines()) <= 3


def test_a_sqlite_database_is_recognised_by_its_first_bytes(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(database(tmp_path))
    with pytest.raises(RunsError, match="SQLite"):
        read_runs(path)


def test_every_problem_of_a_table_is_in_one_message(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L\n0,2e9,3.5\n1e8,x,inf\n1e8,2e9,\n" + "1e8,2e9,0x1\n" * 500)
    with pytest.raises(RunsError) as caught:
        read_runs(path)
    message = str(caught.value)
    # Unreadable cells are counted over all columns: 1 in tokens, 500 in loss, of which 3 are shown.
    for words in ("1 missing", "1 infinite", "501 unreadable", "1 not above zero", "and 497 more"):
        assert words in message
    assert len(message.splitlines()) == 3
    assert len(message) < 1500


@pytest.mark.parametrize(
    ("cell", "as_shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        ("\u202e5.3", r"\u202e5.3"),
        ("x" * 1_000_000, "x" * 40 + "'… (1000000 characters)"),
        ("9" * 1_000_000, "9" * 40 + "'… (1000000 characters)"),
    ],
    ids=["ansi", "newline", "right-to-left", "megabyte", "megabyte-of-digits"],
)
def test_text_from_a_cell_is_escaped_and_cut(cell, as_shown, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(with_cell(cell), encoding="utf-8")
    with pytest.raises(RunsError) as caught:
        read_runs(path)
    message = str(caught.value)
    assert as_shown in message
    assert message.replace("\n", "").isprintable()
    assert len(message.splitlines()) <= 3
    assert len(message) < 600


def test_text_from_the_header_is_escaped(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("\x1b[2Jparams,tokens,loss\n1,2,3\n")
    with pytest.raises(RunsError, match=r"\\x1b\[2Jparams"):
        read_runs(path)
