"""The commands and snippets of the pages in docs/ run as printed; those that cannot are named here, with the reason.

What is in the manual is the README's, which has tests of its own; cells of tutorials and gallery run when the site is
built.
"""

import io
import re
import shutil
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from readme_lines import README, ROOT, blocks, call

import jaxscale as js

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(?!text)(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOW_TO = ("tables", "trust", "spend", "compare", "share")
TUTORIALS = ("first-study", "what-to-spend", "large-study")
RUN = {"index", "large-studies", "saved-studies", "how-to/index", "reference/json"}
RUN |= {f"how-to/{name}" for name in HOW_TO} | {f"tutorials/{name}" for name in TUTORIALS}
"""Pages whose blocks are run below."""
NOT_RUN = {
    "#!/bin/bash\n#SBATCH": "SLURM reads it; what it has a task do, `bootstrap --part`, is in the block above it",
    "apiVersion: batch/v1": "Kubernetes reads it; its command is that of the block above it",
    "import jax, jaxscale": "jax.distributed waits for a group of processes",
}
"""How blocks begin that are for other programs, and why they are not run."""
FEWER = {"5e6": "400", "1e7": "800", "--studies 200": "--studies 10"}
"""What is replaced in a line, so that it takes seconds."""


class Block(NamedTuple):
    """A block of a page."""

    language: str
    text: str


def blocks_of(page):
    return [Block(*found) for found in BLOCK.findall((DOCS / f"{page}.md").read_text(encoding="utf-8"))]


def run(page, names, after=lambda line: None):
    """Run the blocks of a page in order, its Python in a namespace; call `after` with each line of a shell."""
    for number, block in enumerate(blocks_of(page)):
        if block.text.startswith(tuple(NOT_RUN)):
            continue
        if block.language == "python":
            exec(compile(block.text, f"{page}, block {number}", "exec"), names)
            continue
        for printed in block.text.splitlines():
            line = printed
            for many, few in FEWER.items():
                line = line.replace(many, few)
            answer = call(line)
            assert answer.exit_code == 0, (printed, answer.output)
            after(printed)
    return names


def checkpoints(runs):
    """Return four rows a run, whose learning rate falls and whose last row is the run's own."""
    parts = np.linspace(0.25, 1.0, 4)
    log = runs.loc[runs.index.repeat(len(parts))].reset_index(drop=True)
    part = np.tile(parts, len(runs))
    log["step"] = 1000 * part
    log["tokens seen"] *= part
    log["val_loss"] += 0.3 * (1.0 - part)
    log["lr"] = 1e-3 * (1.1 - part)
    return log.rename(columns={"run": "run_id"})


def recipes():
    """Return 36 runs each of two recipes, of which the newer needs less compute."""
    sizes = np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 3e10, 6))
    design = {"params": sizes[0].ravel(), "tokens": sizes[1].ravel()}
    old = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    new = old | {"A": 480.0 * 0.7 ** (0.5 * 0.35), "B": 2100.0 * 0.7 ** (0.5 * 0.37)}
    parts = []
    for at, (name, coefs) in enumerate({"old": old, "new": new}.items()):
        loss = js.simulate("chinchilla", coefs, columns=design, noise=0.003, seed=at).loss
        parts.append(pd.DataFrame(design | {"loss": loss, "recipe": name}))
    return pd.concat(parts)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the manual's table as `runs.csv`, and the other tables that the pages name."""
    folder = tmp_path_factory.mktemp("desk")
    (text,) = blocks(README, "csv")
    (folder / "runs.csv").write_text(text, encoding="utf-8")
    runs = pd.read_csv(io.StringIO(text))
    checkpoints(runs).to_csv(folder / "log.csv", index=False)
    rates = {1e-3: 0.0, 3e-3: 0.05}
    sweep = pd.concat([runs.assign(lr=rate, val_loss=runs["val_loss"] + worse) for rate, worse in rates.items()])
    sweep.to_csv(folder / "sweep.csv", index=False)
    flops = 6.0 * runs["Model Size"] * runs["tokens seen"]
    runs.assign(gpu_hours=flops / 4e14 / 3600).to_csv(folder / "timed.csv", index=False)
    recipes().to_csv(folder / "recipes.csv", index=False)
    (folder / "candidates.csv").write_text("params,tokens\n1e8,5e8\n1e8,8e9\n4e8,2e9\n4e8,3e10\n1e9,2e10\n")
    (folder / "results.csv").write_text("params,tokens,loss\n7e9,2e11,2.2\n")
    return folder


@pytest.fixture(autouse=True)
def at_the_desk(monkeypatch):
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@pytest.fixture(scope="module")
def begun(desk):
    """The desk with the study that the how-to pages go on from, and the names of their first block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(desk)
        patch.setenv("JAXSCALE_CACHE_DIR", "")
        return run("how-to/index", {"__name__": "howto"})


@pytest.fixture
def few_are_many(monkeypatch):
    """From 256 replicates on a study is one in parts, of 32 each."""
    monkeypatch.setattr(js.parts.limits, "MOST", 256)
    monkeypatch.setattr(js.parts.limits, "USUAL", 32)


def test_no_block_is_left_unread():
    """Every block is run, by a test below or when the site is built, or is for another program."""
    pages = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.md")}
    assert {page for page in pages if blocks_of(page)} == RUN
    found = [block for page in RUN for block in blocks_of(page)]
    assert {block.language for block in found} == {"bash", "python", "yaml"}
    assert len([block for block in found if block.text.startswith(tuple(NOT_RUN))]) == len(NOT_RUN)
    for path in pages.values():
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert all(re.match(r"\w+$|\{", fence) for fence in fences[::2])
        assert set(fences[1::2]) <= {""}


MADE = {
    "how-to/tables": [],
    "how-to/trust": ["check.png", "curve.png"],
    "how-to/spend": ["design.png"],
    "how-to/compare": ["laws/comparison.json", "recipes.png", "forecast.json"],
    "how-to/share": [
        "study/report.html",
        "runs-study/result.json",
        "study/frontier.pdf",
        "frontier.pdf",
        "frontier.csv",
    ],
}
"""The files of each how-to page."""


@pytest.mark.slow
@pytest.mark.parametrize("page", MADE)
def test_the_answers_to_twenty_questions_run_as_printed(desk, begun, monkeypatch, page):
    monkeypatch.chdir(desk)
    run(page, dict(begun))
    assert [file for file in MADE[page] if not (desk / file).is_file()] == []


@pytest.mark.slow
def test_what_is_said_of_a_saved_study_and_of_its_document_holds(desk, begun, monkeypatch):
    monkeypatch.chdir(desk)
    js.save("runs-study", begun["study"], force=True)
    draws = begun["study"].ensemble.coefs["alpha"]
    np.testing.assert_array_equal(run("saved-studies", {})["draws"], draws)
    (desk / "fit.json").write_text(call("jaxscale fit runs.csv --json").stdout, encoding="utf-8")
    run("reference/json", {})


@pytest.mark.slow
def test_the_first_page_runs_as_printed(desk, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(desk / "runs.csv", tmp_path)
    run("index", {})
    assert (tmp_path / "study" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", TUTORIALS)
def test_the_commands_of_a_tutorial_run_as_printed(few_are_many, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    run(f"tutorials/{name}", {})


@pytest.mark.slow
def test_large_studies_are_made_divided_and_merged_as_printed(few_are_many, desk, monkeypatch, tmp_path):
    """The copies of other machines are those of the study as it was begun, with a part of it in each."""
    monkeypatch.chdir(tmp_path)
    runs = pd.read_csv(desk / "runs.csv")
    pd.concat([runs.assign(experiment=name) for name in ("first", "second")]).to_csv("runs.csv", index=False)

    def hand_out(line):
        if line.endswith("--max-seconds 0"):
            for copy in (1, 2):
                shutil.copytree("study", f"copy-{copy}/study")
                assert call(f"jaxscale bootstrap copy-{copy}/study --part {copy}/16").exit_code == 0
        if line.startswith("jaxscale bootstrap study  "):
            assert js.parts.inventory("study").is_whole
            shutil.rmtree("study")  # and the next block begins anew

    run("large-studies", {}, hand_out)
    assert js.store.load_studies("many").counts == {"converged": 4}
