"""Public docstrings have numpydoc sections that agree with the code, and examples that run."""

import dataclasses
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import jaxscale as js
from jaxscale import errors

SHORT = {"Runs", "Law"}
"""Functions, methods, and classes whose methods have the short form: with sections their files would pass 300 lines."""
SLOW = {
    "RecipeComparison",
    "SpecificationCurve",
    "compare_recipes",
    "group_of",
    "profile",
    "solution",
    "specifications",
    "student_t",
    "two_steps",
}
"""Names whose examples compile programs of their own."""
SPREAD = ("Specification", "SpecificationFit", "Decomposition")
DOCUMENTED = {
    "refitting": ("survey", "refit", "gather", "profile", "followed", "two_steps", "Survey", "Refits", "TwoSteps"),
    "fitting": ("group_of", "reduced", "compare_counts", "predict_ensemble", "predicted_sample", "solution"),
    "parts": ("Inventory", "inventory"),
    "planning": ("at_most", "sample_worth", "Limit", "SampleWorth"),
    "designing": ("sweep", "continuous", "Sweep", "Continuous"),
    "intervals": ("Sample", "Interval", "LikelihoodProfile"),
    "resampling": ("Scheme", "Draw", "Table", "Fitted"),
    "costs": ("Cost",),
    "datasets": ("load", "card", "names"),
    "allocation": ("Allocation", "at_optimum"),
    "results": ("Minimum", "Certificate", "Solution", "Count", "Counts", "sample_of", "StudyKey", *SPREAD),
    "objectives": ("Objective",),
    "registry": ("Registry",),
    "studying": ("by_groups",),
}
"""What is public beside the names of the package itself, by module."""
EXPORTED = re.findall(r"import \w+ as (\w+)", Path(js.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public():
    """Return name → object."""
    found = {name: getattr(js, name) for name in EXPORTED}
    for module, names in DOCUMENTED.items():
        found |= {f"{module}.{name}": getattr(importlib.import_module(f"jaxscale.{module}"), name) for name in names}
    return {name: one for name, one in found.items() if inspect.isfunction(one) or inspect.isclass(one)}


PUBLIC = public()
FUNCTIONS = [name for name, one in PUBLIC.items() if inspect.isfunction(one)]
RECORDS = [name for name, one in PUBLIC.items() if dataclasses.is_dataclass(one) or hasattr(one, "_fields")]


def methods():
    """Return name → function of every public method."""
    found = {}
    for name, one in PUBLIC.items():
        for word, member in vars(one).items() if inspect.isclass(one) else ():
            function = getattr(member, "__func__", member)
            if inspect.isfunction(function) and not word.startswith("_"):
                found[f"{name}.{word}"] = function
    return found


METHODS = methods()
EVERY = {**PUBLIC, **METHODS}


def sections(one):
    """Return title → text of the sections of a docstring."""
    parts = re.split(r"^([A-Z]\w+)\n-+\n", inspect.getdoc(one) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(text):
    """Return the names that a section describes, without the stars of *args."""
    heads = re.findall(r"^(\S.*)$", text, flags=re.MULTILINE)
    return [word.strip().lstrip("*") for head in heads for word in head.split(",")]


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def fields(record):
    named = getattr(record, "_fields", None)
    return list(named) if named else [field.name for field in dataclasses.fields(record)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_describes_its_parameters_in_their_order_and_its_result(name):
    found = sections(PUBLIC[name])
    if name in SHORT:
        assert "Parameters" not in found
        return
    assert entries(found.get("Parameters", "")) == parameters(PUBLIC[name])
    assert "Returns" in found
    assert "Examples" in found


@pytest.mark.parametrize("name", [name for name, one in METHODS.items() if parameters(one)])
def test_a_method_describes_its_parameters_in_their_order(name):
    found = sections(METHODS[name])
    if {name, name.rpartition(".")[0]} & SHORT:
        assert found == {}
        return
    assert entries(found.get("Parameters", "")) == parameters(METHODS[name])
    assert "Returns" in found


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_describes_its_fields_in_their_order(name):
    assert entries(sections(PUBLIC[name])["Attributes"]) == fields(PUBLIC[name])


def test_every_outcome_is_described_by_its_meaning():
    found = inspect.getdoc(js.Status)
    assert entries(sections(js.Status)["Attributes"]) == [one.name for one in js.Status]
    for one in js.Status:
        assert one.meaning[1:] in " ".join(found.split())


def test_what_is_raised_is_an_error_of_the_package():
    named = {word for one in EVERY.values() for word in entries(sections(one).get("Raises", ""))}
    known = {name for name, one in vars(errors).items() if inspect.isclass(one)}
    assert {"UsageError", "RunsError", "StoreError", "MissingDependencyError"} <= named <= known


@pytest.fixture(scope="module")
def given():
    """The names that every example may use: those of the example of the package."""
    names = {}
    assert run("jaxscale", js, names) == ""
    return names


def run(name, one, names):
    """Run the examples of a docstring with these names, and return what went wrong."""
    told = []
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(one), names, name, None, 0)
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=told.append, clear_globs=False)
    names.update(example.globs)
    return "".join(told)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.rpartition(".")[2] in SLOW else ())
        for name, one in EVERY.items()
        if "Examples" in sections(one)
    ],
)
def test_the_examples_of_a_docstring_run(name, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(name, EVERY[name], dict(given)) == ""
