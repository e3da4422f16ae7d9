"""One page for all tests, the browser that opens it, and what it does there."""

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import jaxscale as js
from jaxscale.cli.main import main

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEED_BROWSER = "JAXSCALE_TESTS_NEED_BROWSER"
"""Set to 1, a test without a browser fails instead of being skipped."""
COMMAND = ("fit", "--replicates", "60", "--flops", "1e12,1e16", "--yes-extrapolate")
"""The fit that the tests of the command line make."""
NO_BROWSER = "NOT TESTED: there is no browser; install one: apt-get install chromium, or playwright install chromium"


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """The folder of a study of the shipped table."""
    folder = tmp_path_factory.mktemp("paged") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSCALE_CACHE_DIR", "")
        answer = CliRunner().invoke(main, [*COMMAND, "--out", str(folder)])
    assert answer.exit_code == 0, answer.stderr
    return folder


@pytest.fixture(scope="session")
def study(saved):
    return js.load(saved)


@pytest.fixture(scope="session")
def page(saved):
    """The path of the page that the command line writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSCALE_CACHE_DIR", "")
        answer = CliRunner().invoke(main, ["report", str(saved)])
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == f"{saved / 'report.html'}\n"
    return saved / "report.html"


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium: the system's, or the one that Playwright has fetched."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        own = driver.chromium.executable_path
        found = next(filter(None, map(shutil.which, BROWSERS)), own if Path(own).is_file() else None)
        if found is None:
            (pytest.fail if os.environ.get(NEED_BROWSER) else pytest.skip)(NO_BROWSER)
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page, with what the browser complains of in `.complaints`."""
    contexts = []

    def visit(path, **settings):
        contexts.append(browser.new_context(**settings))
        tab = contexts[-1].new_page()
        tab.complaints = []
        tab.on("console", lambda said: tab.complaints.append(said.text) if said.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (tab.complaints.append(dialog.message), dialog.dismiss()))
        tab.asked = []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.goto(path.as_uri())
        if settings.get("java_script_enabled", True):
            tab.wait_for_selector("html[data-ready]", timeout=20_000)
        return tab

    yield visit
    for context in contexts:
        context.close()
