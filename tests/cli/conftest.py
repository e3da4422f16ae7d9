"""One fitted result for all tests of the command line, and a way to run a command in this process."""

import json
import os
from pathlib import Path

import pytest
from cli_commands import COMMAND
from click.testing import CliRunner
from documents import assert_kept, schema_name

from jaxscale.cli.main import main


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Run in an empty folder, without a compile cache, and leave the environment as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def cache_folder():
    """The compile cache of commands in processes of their own, kept as long as the programs of the tests."""
    return Path(os.environ["JAXSCALE_TESTS_COMPILED"]) / "commands"


@pytest.fixture
def run():
    """Return a function that runs one command line and returns click's result; a document keeps to its schema."""

    def invoke(*words, **given):
        answer = CliRunner().invoke(main, [str(word) for word in words], **given)
        if "--json" in words and answer.exit_code in (0, 4):
            document = json.loads(answer.stdout)
            assert_kept(schema_name(words, document), document)
        return answer

    return invoke


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """The folder and the JSON document of one fit of the shipped table, made once."""
    folder = tmp_path_factory.mktemp("fitted") / "result"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSCALE_CACHE_DIR", "")
        patch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "false"))
        answer = CliRunner().invoke(main, [*COMMAND, "--json", "--out", str(folder)])
    assert answer.exit_code == 0, answer.stderr
    return folder, json.loads(answer.stdout)
