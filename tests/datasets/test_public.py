"""Public tables: read from a folder or fetched once, and never anything but the bytes that are known."""

import hashlib
import sys
from dataclasses import replace

import pytest
import requests

from jaxscale import datasets
from jaxscale.datasets import public
from jaxscale.datasets.loading import DATASETS
from jaxscale.datasets.public import EPOCH
from jaxscale.errors import MissingDependencyError, RunsError

BYTES = b"N,C,loss\n1e8,1.2e18,3.1\n2e8,2.4e18,2.9\n"
TABLE = replace(EPOCH, name="a-table", sha256=hashlib.sha256(BYTES).hexdigest())
PUBLIC = [one for one in DATASETS if isinstance(one, public.Public)]


class Answer:
    """What a server says: bytes, and the addresses that led to them."""

    def __init__(self, body=BYTES, url="https://there/a.csv", history=(), status=200):
        self.body, self.url, self.history, self.status = body, url, history, status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def raise_for_status(self):
        if self.status != 200:
            raise requests.HTTPError(f"{self.status} for url: {self.url}")

    def iter_content(self, size):
        return (self.body[at : at + size] for at in range(0, len(self.body), size))


@pytest.fixture(autouse=True)
def no_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(public.FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def served(monkeypatch):
    """Return a function that says what the next requests are answered with; it gives the list of those made."""

    def serve(answer):
        asked = []

        def get(address, **given):
            asked.append(address)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(requests, "get", get)
        return asked

    return serve


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(public.FOLDER, str(tmp_path))
    return tmp_path


def test_a_table_in_the_folder_is_read_from_there_and_nothing_is_fetched(folder, served):
    asked = served(Answer())
    (folder / "a-table.csv").write_bytes(BYTES)
    assert public.file_of(TABLE) == folder / "a-table.csv"
    assert asked == []


def test_a_table_that_is_not_in_the_folder_is_asked_for_by_address_digest_and_place(folder, served):
    asked = served(Answer())
    with pytest.raises(RunsError) as refused:
        public.file_of(TABLE)
    assert asked == []
    for word in (str(folder / "a-table.csv"), TABLE.address, TABLE.sha256, public.FOLDER):
        assert word in str(refused.value)


def test_other_bytes_in_the_folder_are_refused_with_both_digests_and_left_as_they_are(folder):
    path = folder / "a-table.csv"
    path.write_bytes(BYTES + b"\n")
    with pytest.raises(RunsError, match="left as it is") as refused:
        public.file_of(TABLE)
    assert TABLE.sha256 in str(refused.value)
    assert hashlib.sha256(BYTES + b"\n").hexdigest() in str(refused.value)
    assert path.exists()


def test_a_folder_that_is_a_file_is_refused_with_its_reason(monkeypatch, tmp_path):
    (tmp_path / "a-file").write_bytes(BYTES)
    monkeypatch.setenv(public.FOLDER, str(tmp_path / "a-file"))
    with pytest.raises(RunsError, match=r"cannot be read \(Not a directory\)"):
        public.file_of(TABLE)


def test_a_table_is_fetched_once(served):
    asked = served(Answer())
    path = public.file_of(TABLE)
    assert path.read_bytes() == BYTES
    assert public.file_of(TABLE) == path
    assert asked == [TABLE.address]


def test_a_file_in_the_cache_that_has_changed_is_fetched_again(served):
    asked = served(Answer())
    public.file_of(TABLE).write_bytes(b"N,C,loss\n")
    assert public.file_of(TABLE).read_bytes() == BYTES
    assert len(asked) == 2


def test_other_bytes_from_the_network_are_refused_with_both_digests_and_deleted(served, tmp_path):
    served(Answer(b"<html>moved</html>"))
    with pytest.raises(RunsError, match="it was deleted") as refused:
        public.file_of(TABLE)
    assert TABLE.sha256 in str(refused.value)
    assert hashlib.sha256(b"<html>moved</html>").hexdigest() in str(refused.value)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "answer",
    [Answer(url="http://there/a.csv"), Answer(history=(Answer(url="http://between/a.csv"),))],
    ids=["the last address", "one between"],
)
def test_an_address_that_leads_to_plain_http_is_refused(served, answer):
    served(answer)
    with pytest.raises(RunsError, match="not https"):
        public.file_of(TABLE)


def test_more_bytes_than_a_table_has_are_not_written(served, monkeypatch):
    monkeypatch.setattr(public, "LARGEST", 10)
    served(Answer())
    with pytest.raises(RunsError, match="larger than 10 bytes"):
        public.file_of(TABLE)


@pytest.mark.parametrize(
    "answer",
    [requests.ConnectionError("no route"), requests.Timeout("slow"), Answer(status=404)],
    ids=["no network", "no answer", "not found"],
)
def test_a_table_that_cannot_be_fetched_says_how_to_get_it_by_hand(served, answer):
    served(answer)
    with pytest.raises(RunsError, match="could not be fetched") as refused:
        public.file_of(TABLE)
    for word in (TABLE.address, TABLE.sha256, "a-table.csv", public.FOLDER):
        assert word in str(refused.value)


def test_without_pooch_the_message_says_how_to_install_it_and_how_to_do_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingDependencyError, match=r"uv sync --extra data") as refused:
        public.file_of(TABLE)
    assert TABLE.sha256 in str(refused.value)


@pytest.mark.parametrize("table", PUBLIC, ids=lambda table: table.name)
def test_every_public_table_lies_at_one_commit_behind_https(table):
    assert table.address.startswith("https://")
    assert any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in table.address.split("/"))
    assert len(table.sha256) == 64
    assert table.licence
    assert table.citation


@pytest.mark.parametrize("table", PUBLIC, ids=lambda table: table.name)
def test_the_card_of_a_public_table_needs_no_network(table, served):
    asked = served(requests.ConnectionError("no route"))
    card = datasets.card(table.name)
    assert asked == []
    for word in (table.address, table.sha256, table.licence, table.citation):
        assert word in card


def test_a_public_table_is_read_under_its_own_name(folder, monkeypatch):
    monkeypatch.setitem(DATASETS._entries, "a-table", TABLE)
    (folder / "a-table.csv").write_bytes(BYTES)
    runs = datasets.load("a-table")
    assert (runs.origin.source, runs.origin.sha256, len(runs)) == ("a-table", TABLE.sha256, 2)
