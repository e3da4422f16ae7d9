"""The documentation site: what it must hold, as far as that can be told without building it."""

import ast
import inspect
import re
from pathlib import Path

import click
import pytest
from test_docstrings import EXPORTED, PUBLIC

import jaxscale as js
from jaxscale.cli.main import main
from jaxscale.intervals import INTERVALS

ROOT = Path(js.__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OURS = [page for folder in ("tutorials", "how-to", "theory") for page in sorted((DOCS / folder).glob("*.md"))]
OURS += [DOCS / "index.md", DOCS / "gallery.md", DOCS / "faq.md"]
LINK = re.compile(r"\]\(((?!\w+:)[^)#\s]+)(?:#([^)\s]+))?\)")


def anchors(page):
    """Return the anchors of a page's headings, as MyST makes them; of a page that includes a file, with those of it."""
    text = page.read_text(encoding="utf-8")
    for included in re.findall(r"^```\{include\} (\S+)", text, re.MULTILINE):
        text += (page.parent / included).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{1,3} (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def id_of(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


@pytest.mark.parametrize("page", OURS, ids=id_of)
def test_every_link_leads_to_a_page_and_to_a_heading_of_it(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_every_public_name_has_an_entry_in_the_reference():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    entries = re.findall(r"^\.\. auto(?:function|class):: jaxscale\.([\w.]+)$", text, re.MULTILINE)
    assert sorted(entries) == sorted(PUBLIC)  # each, and each once


def test_twenty_questions_are_answered_within_two_clicks_from_the_first_page():
    questions = re.findall(r"^(\d+)\. \[([^]]+\?)\]\(([\w-]+)\.md#([\w-]+)\)$", questions_text(), re.MULTILINE)
    assert [int(number) for number, *_ in questions] == list(range(1, 21))
    assert len({(page, anchor) for *_, page, anchor in questions}) == 20
    for _, question, page, anchor in questions:
        assert anchor in anchors(DOCS / "how-to" / f"{page}.md"), question
    assert "](how-to/index.md)" in (DOCS / "index.md").read_text(encoding="utf-8")


def questions_text():
    return (DOCS / "how-to" / "index.md").read_text(encoding="utf-8")


def commands():
    """Return page and words of every command line of ours on the pages that are the site's own."""
    return [
        (page, line.split())
        for page in OURS
        for block in re.findall(r"^```bash\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line.startswith("jaxscale ")
    ]


def test_every_command_line_names_a_command_and_options_that_it_has():
    found = commands()
    assert len(found) > 30
    unknown = []
    for page, (_, name, *rest) in found:
        command = main.commands[name]
        options = {word for one in command.params if isinstance(one, click.Option) for word in one.opts}
        unknown += [f"{id_of(page)}: {name} {word}" for word in rest if word.startswith("--") and word not in options]
    assert unknown == []


def test_every_argument_that_a_page_names_is_one_of_the_function():
    """Of calls `js.name(…, keyword=…)` in snippets; those in cells are run when the site is built."""
    asked = 0
    for page in OURS:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```(?:python|\{code-cell\})\n(?::.*\n)?(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for call in [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]:
                name = ast.unparse(call.func)
                if not name.startswith("js.") or name.removeprefix("js.") not in EXPORTED:
                    continue
                function = getattr(js, name.removeprefix("js."))
                known = list(_parameters(function))
                assert all(one.arg in known or "**" in known for one in call.keywords if one.arg), ast.unparse(call)
                asked += 1
    assert asked > 30


def _parameters(function):
    """Yield the names of a function's parameters, and ** where it takes any."""
    for one in inspect.signature(function).parameters.values():
        yield "**" if one.kind is one.VAR_KEYWORD else one.name


def test_the_first_page_counts_laws_and_intervals():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    assert f"[{len(js.LAWS)} laws](" in text
    assert ("; ten\n  [kinds of interval]" in text) == (len(INTERVALS) == 10)
