"""The package as a whole: light to import, small on the outside, and said in words."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import jaxscale as js

ROOT = Path(__file__).parents[1]
NAMES = tuple(name for name in js.__all__ if not inspect.ismodule(getattr(js, name)))
CALLABLES = tuple(name for name in NAMES if callable(getattr(js, name)))


def in_a_fresh_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=120, check=False)


def test_importing_jaxscale_imports_nothing_heavy_and_starts_no_backend():
    heavy = ("jax", "jaxlib", "numpy", "pandas", "matplotlib", "scipy", "optax", "rich", "click")
    done = in_a_fresh_process(f"import sys, jaxscale; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_the_verbs_start_no_backend_before_they_are_called():
    code = (
        "import jaxscale as js\n"
        "[getattr(js, name) for name in js.__all__]\n"
        "from jax._src import xla_bridge\n"
        "print(xla_bridge.backends_are_initialized())"
    )
    done = in_a_fresh_process(code)
    assert done.stdout.strip() == "False", done.stderr


def test_there_are_at_most_thirty_public_names_and_each_of_them_resolves():
    assert len(js.__all__) <= 30
    assert len(set(js.__all__)) == len(js.__all__)
    for name in js.__all__:
        assert getattr(js, name) is not None
    assert set(js.__all__) <= set(dir(js))


def test_every_package_that_the_code_imports_is_installed_with_it():
    """Of what pip installs with jaxscale and with its extras; the tests' own packages do not count."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    installed = {re.match(r"[\w-]+", one)[0].replace("-", "_") for one in asked} | {"jaxscale"}
    imported = set()
    for path in [one for kind in ("*.py", "*.pyi") for one in (ROOT / "jaxscale").rglob(kind)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) <= installed


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="fitt"):
        js.fitt  # noqa: B018


@pytest.mark.parametrize("name", CALLABLES)
def test_every_public_callable_has_a_docstring(name):
    assert len(inspect.getdoc(getattr(js, name)) or "") > 20


@pytest.mark.parametrize("name", [name for name in CALLABLES if inspect.isfunction(getattr(js, name))])
def test_every_argument_that_a_docstring_explains_exists(name):
    """`one, two: what they are` at the start of a sentence explains arguments."""
    function = getattr(js, name)
    taken = set(inspect.signature(function).parameters)
    text = inspect.getdoc(function)
    body = text.split("\n", 1)[1] if "\n" in text else ""
    explained = re.findall(r"(?:^\s*|[.;]\s+)((?:[a-z_]\w*, )*[a-z_]\w*): ", body)
    for words in explained:
        assert set(words.split(", ")) <= taken, f"{name} explains {words}, and takes {sorted(taken)}"


@pytest.mark.parametrize("name", [name for name in CALLABLES if inspect.isfunction(getattr(js, name))])
def test_everything_after_the_first_two_arguments_is_keyword_only(name):
    parameters = list(inspect.signature(getattr(js, name)).parameters.values())
    assert all(one.kind in (one.KEYWORD_ONLY, one.VAR_KEYWORD) for one in parameters[2:])
