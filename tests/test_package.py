"""The package as it is installed: a wheel and an sdist that hold all they need, in an environment of their own."""

import shutil
import subprocess
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import jaxscale as js

ROOT = Path(js.__file__).parents[1]
FIT = ("fit", "--replicates", "0")
DATA = {"jaxscale/py.typed", "jaxscale/__init__.pyi", "jaxscale/laws/README.md", "jaxscale/datasets/pilot.csv"}
DATA |= {"jaxscale/laws/sources.bib"}
DATA |= {f"jaxscale/webpages/page.{kind}" for kind in ("html.j2", "css", "js")}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv, which builds the package, is not on PATH"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(["uv", "build", "--out-dir", folder, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_both_hold_the_code_the_data_and_the_licence(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert inside >= DATA | {"jaxscale/CITATION.cff"}  # a page of a study cites it
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    assert not any(name.split("/")[0] in ("tests", "benchmarks", "notebooks") for name in inside)
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    assert members >= DATA | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "jaxscale").rglob("*.py")} <= inside & members


def test_the_wheel_runs_in_an_environment_of_its_own(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    environment = tmp_path / "environment"
    for words in (["uv", "venv", environment], ["uv", "pip", "install", "--python", environment, wheel]):
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    commands = {("--version",): version("jaxscale"), ("laws", "chinchilla"): "besiroglu2024", FIT: "irreducible loss"}
    for words, said in commands.items():
        done = subprocess.run(
            [environment / "bin" / "jaxscale", *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
