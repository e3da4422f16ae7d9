"""Where a table may come from: a file, standard input, and what is no file at all."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import opening, read_runs

GOOD = "params,tokens,loss\n1e8,2e9,3.5\n2e8,4e9,3.2\n"


class Input(io.TextIOWrapper):
    """A standard input with the given bytes, on a terminal or not."""

    def __init__(self, data: bytes, is_terminal: bool = False):
        super().__init__(io.BytesIO(data))
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


def refusal(source, error=RunsError):
    with pytest.raises(error) as caught:
        read_runs(source)
    assert len(str(caught.value).splitlines()) <= 3
    return str(caught.value)


def test_a_file_that_does_not_exist_is_named_with_the_folder_looked_in():
    message = refusal("no/such\x1btable.csv")
    assert r"no/such\x1btable.csv" in message
    assert "no such file" in message


def test_a_directory_is_refused(tmp_path):
    assert "is a directory" in refusal(tmp_path)


def test_a_link_to_nothing_is_refused_as_such(tmp_path):
    link = tmp_path / "runs.csv"
    link.symlink_to(tmp_path / "gone.csv")
    assert "the link points to a file that does not exist" in refusal(link)


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)

    def refuse(handle, limit):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(opening, "content", refuse)  # root may read everything
    assert "no permission" in refusal(path)


def test_a_failing_disk_is_told_in_its_own_words(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)

    def fail(handle, limit):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(opening, "content", fail)
    assert "Input/output error" in refusal(path)


def test_a_named_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "runs.csv")
    assert "standard input" in refusal(tmp_path / "runs.csv")


def test_a_device_is_refused():
    assert "device" in refusal(os.devnull)


def test_an_address_is_not_fetched():
    assert "download it" in refusal("https://example.org/runs.csv")


def test_a_name_with_a_nul_is_refused():
    assert "NUL" in refusal("runs\0.csv")


def test_something_that_is_no_path_is_refused_with_the_function_that_takes_it():
    assert "from_frame" in refusal({"params": [1]}, UsageError)


@pytest.mark.parametrize("change", ["append", "touch", "replace"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, change):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    read = opening.content

    def read_and_change(handle, limit):
        data = read(handle, limit)
        if change == "append":
            path.write_text(GOOD + "4e8,8e9,3\n")
        elif change == "touch":
            os.utime(path, ns=(1, 1))
        else:
            (tmp_path / "other").write_text(GOOD)
            os.replace(tmp_path / "other", path)
        return data

    monkeypatch.setattr(opening, "content", read_and_change)
    assert "changed while it was read" in refusal(path)


def test_ten_million_rows_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.touch()
    os.truncate(path, 10**13)  # a sparse file: ten terabytes that takes no disk

    def forbidden(handle, limit):
        raise AssertionError("the file was read")

    monkeypatch.setattr(opening, "content", forbidden)
    message = refusal(path)
    for words in ("10 TB", "200 TB of memory", "may take 2 GB"):
        assert words in message


def test_the_estimate_is_held_against_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    monkeypatch.setattr(opening, "MEMORY_LIMIT", 100)
    message = refusal(path)
    assert "may take 100 B" in message


def test_standard_input_is_read_as_a_file_would_be(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Input(GOOD.encode()))
    runs = read_runs("-")
    assert (len(runs), runs.origin.source) == (2, "<stdin>")


def test_a_bad_table_on_standard_input_is_named_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Input(GOOD.replace("3.5", "x").encode()))
    assert refusal("-").startswith("<stdin>: ")


def test_standard_input_above_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Input(GOOD.encode() * 1000))
    monkeypatch.setattr(opening, "MEMORY_LIMIT", 1000)
    assert "may take 1 KB" in refusal("-")


def test_a_terminal_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Input(b"", is_terminal=True))
    assert "terminal" in refusal("-", UsageError)


def test_a_closed_standard_input_is_a_usage_error(monkeypatch):
    closed = Input(b"")
    closed.close()
    for stdin in (None, closed):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "closed" in refusal("-", UsageError)


def test_an_empty_standard_input_has_no_header(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Input(b""))
    assert "no header found" in refusal("-")


def test_the_digest_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    # sha256sum of the file, by another program.
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    origin = read_runs(path).origin
    assert (origin.sha256, origin.source) == (digest, str(path))


def test_reading_a_table_imports_neither_pandas_nor_jax(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    code = (
        "import sys; from jaxscale.runs import read_runs; "
        f"read_runs({str(path)!r}).check(); "
        "print([name for name in ('pandas', 'jax', 'pyarrow', 'matplotlib') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
