"""A path that is not there, and what it may mean."""

import pytest

from jaxscale.meant import near_path


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jaxscale-out" / "chinchilla-1234abcd").mkdir(parents=True)
    (tmp_path / "jaxscale-out" / "chinchilla-1234abcd" / "result.json").touch()
    (tmp_path / "runs.csv").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("runz.csv", "runs.csv"),
        ("jaxscale-out/chinchila-1234abcd", "jaxscale-out/chinchilla-1234abcd"),
        ("jaxscale-out/chin", "jaxscale-out/chinchilla-1234abcd"),
        ("chinchilla-1234abce", "jaxscale-out/chinchilla-1234abcd"),
        ("jaxscale-ot/chinchilla-1234abcd", "jaxscale-out/chinchilla-1234abcd"),
        ("jaxscale-ot/chinchilla-1234abcd/result.json", "jaxscale-out/chinchilla-1234abcd/result.json"),
        ("jaxscale-ot/something", "jaxscale-out"),
    ],
)
def test_the_nearest_is_named_and_is_there(desk, typed, meant):
    assert near_path(typed) == f"; did you mean {meant}?"
    assert (desk / meant).exists()
    assert near_path(desk / typed).endswith(f"{desk / meant}?") or "/" not in typed


@pytest.mark.parametrize("typed", ["runs.csv", "jaxscale-out", "xyzzy", "nosuch/xyzzy", "a\0b", "", "/"])
def test_nothing_is_said_of_what_is_there_or_like_nothing(typed):
    assert near_path(typed) == ""


def test_a_name_cannot_forge_a_line(desk):
    (desk / "evil\nline.csv").touch()
    assert near_path("evil line.csv") == "; did you mean evil\\nline.csv?"
