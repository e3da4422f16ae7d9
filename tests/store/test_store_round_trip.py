"""What is saved comes back bit for bit: every field, every awkward number, every hostile text."""

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest
import store_answers as answers

from jaxscale import datasets
from jaxscale.counting import CONVENTIONS
from jaxscale.finding import Finding
from jaxscale.fitting import fit as fit_law
from jaxscale.intervals import LikelihoodProfile
from jaxscale.objectives import OBJECTIVES, absolute, huber, squared, student_t
from jaxscale.provenance import Provenance
from jaxscale.refitting import resample
from jaxscale.resampling import SCHEMES, Fitted
from jaxscale.results import Certificate, Count, Counts, Ensemble, Fit, Frontier, Joint, Minimum, Nested, Study
from jaxscale.runs import Origin, Runs
from jaxscale.status import Status
from jaxscale.store import digest_of, load, save

HOSTILE_REASON = answers.HOSTILE[2]


def back(tmp_path, saved):
    return load(save(tmp_path / "out", saved, force=True))


@pytest.fixture(scope="module")
def real_ensemble():
    return resample(fit_law(datasets.load("pilot")), replicates=20, seed=3)


def a_fit():
    return Study(answers.fit())


def a_fit_that_is_not_identified():
    return Study(answers.fit(status=Status.SINGULAR, unidentified=("E", "alpha")))


def a_fit_at_a_bound():
    joint = (Joint(("E", "A"), True, 1 / 3, None), Joint(("A", "B"), False, 0.1 + 0.2, 1e-17))
    at_bound = answers.fit(status=Status.AT_BOUND, unidentified=("E", "A"), held=("E", "alpha"), joint=joint)
    without = {"E": np.arange(12) % 3 == 0, "A": np.arange(12) % 2 == 0}
    return Study(at_bound, answers.ensemble(at_bound, without=without))


def an_ensemble():
    return Study(answers.fit(), answers.ensemble())


def an_ensemble_of_moved_targets():
    """With the point fit that its targets were moved by, and the spread of the coefs in each replicate."""
    ensemble = answers.ensemble()
    rows, size = len(ensemble.fit.runs), len(ensemble.fit.law.names)
    fitted = Fitted(*np.linspace(0.1, 0.9, 3 * rows).reshape(3, rows))
    covariance = np.full((len(ensemble), size, size), 1 / 3)
    covariance[1] = np.nan
    return Study(ensemble.fit, replace(ensemble, fitted=fitted, covariance=covariance))


def a_profile(places):
    """Of awkward numbers, of which the first place has fewer and the last none."""
    roots, values = np.array([-1 / 3, -0.0, 5e-324, 0.1 + 0.2]), np.array([-0.0, 1 / 3, 1 / 3, np.inf])
    parts = [
        LikelihoodProfile(roots[:count], values[:count], *np.empty((2, 0), object))
        for count in (2, *[4] * (places - 2), 0)
    ]
    said = answers.texts(*answers.HOSTILE)
    return replace(LikelihoodProfile.joined(parts), below=said[:places], above=said[::-1][:places])


def what_intervals_need():
    """The fits without each run, standard errors and profiles, of the coefs and of the frontier."""
    ensemble, best = answers.ensemble(), answers.frontier(replicates=12)
    left = replace(answers.ensemble(), scheme=SCHEMES.resolve("jackknife"))
    size, budgets = len(ensemble.fit.law.names), len(best.flops)
    errors = {"params": np.full((12, budgets), 1 / 3), "loss": np.full((12, budgets), np.nan)}
    extra = {"jackknife": {"tokens": np.full((7, budgets), 0.1 + 0.2)}, "std": errors}
    best = replace(best, point_std={"params": np.full(budgets, 1 / 7)}, dof=24.0, **extra)
    best = replace(best, robust_std={"loss": np.full(budgets, 1 / 9)}, robust_dof=11.0)
    best = replace(best, profile={"tokens": a_profile(budgets)}, exponents=a_profile(3))
    robust = {by: np.full((size, size), 1 / 11) for by in ("rows", "groups")}
    fit = replace(ensemble.fit, covariance=np.full((size, size), 1 / 3), robust=robust)
    return Study(fit, replace(ensemble, fit=fit, jackknife=replace(left, fit=fit), profile=a_profile(size)), best)


def a_frontier():
    return Study(answers.fit(), None, answers.frontier())


def a_frontier_of_an_ensemble_alone():
    return Study(answers.fit(), None, answers.frontier(replicates=3))


def everything():
    return Study(answers.fit(), answers.ensemble(), answers.frontier(replicates=12))


def what_was_asked():
    return replace(
        everything(), level=0.9, budgets=(1e18, 1e26), at={"unique_tokens": 1 / 3}, line="tokens = 20 params"
    )


def a_reduced_fit():
    refused = answers.fit(status=Status.SINGULAR, unidentified=("E", "alpha"))
    return Study(refused, reduced=everything(), line="tokens = 20 params")


def other_conventions():
    of, law = answers.fit(), answers.fit().law
    first = Count(CONVENTIONS.resolve("measured"), of, (), None, answers.frontier(), 0.1 + 0.2)
    again = Count(CONVENTIONS.resolve("palm"), replace(of, value=1.0), law.inputs, "measured", None, None)
    return Study(of, comparison=Counts((first, again), {"kaplan": HOSTILE_REASON}))


@pytest.mark.parametrize(
    "build",
    [
        a_fit,
        what_was_asked,
        a_reduced_fit,
        other_conventions,
        a_fit_that_is_not_identified,
        a_fit_at_a_bound,
        an_ensemble,
        an_ensemble_of_moved_targets,
        what_intervals_need,
        a_frontier,
        a_frontier_of_an_ensemble_alone,
        everything,
    ],
)
def test_every_kind_of_answer_comes_back_identical(tmp_path, build):
    first = build()
    assert answers.is_identical(back(tmp_path, first), first)


def test_a_real_fit_and_its_ensemble_come_back_identical(tmp_path, real_ensemble):
    again = back(tmp_path, real_ensemble)
    assert answers.is_identical(again.fit, real_ensemble.fit)
    assert answers.is_identical(again.ensemble, real_ensemble)
    np.testing.assert_array_equal(again.ensemble.weights(7), real_ensemble.weights(7))


def test_a_real_frontier_comes_back_identical(tmp_path, real_ensemble):
    allocation = pytest.importorskip("jaxscale.allocation.frontier")  # a module that may not be there yet
    front = allocation.frontier(real_ensemble, flops=np.geomspace(1e18, 1e25, 5))
    assert answers.is_identical(back(tmp_path, Study(real_ensemble.fit, real_ensemble, front)).frontier, front)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_comes_back(tmp_path, status):
    assert back(tmp_path, answers.fit(status=status)).fit.status is status


@pytest.mark.parametrize("known", tuple(OBJECTIVES), ids=lambda known: known.name)
@pytest.mark.parametrize("space", ["log", "linear"])
def test_every_objective_comes_back_in_its_space(tmp_path, known, space):
    objective = replace(known, space=space)
    assert back(tmp_path, answers.fit(objective=objective)).fit.objective == objective


@pytest.mark.parametrize(
    "objective",
    [
        huber(1 / 3),
        squared(space="linear"),
        absolute(),
        huber(5e-324),
        student_t(2.5, scale=0.01),
        replace(student_t(space="linear"), scale=0.02),  # as a fit that has estimated it holds it
    ],
    ids=lambda one: f"{one.name}-{one.scale:g}",
)
def test_the_scale_of_an_objective_comes_back(tmp_path, objective):
    assert back(tmp_path, answers.fit(objective=objective)).fit.objective == objective


@pytest.mark.parametrize("steps", [np.int32, np.int64])
def test_steps_keep_their_width(tmp_path, steps):
    ensemble = answers.ensemble(steps=np.arange(12, dtype=steps))
    assert back(tmp_path, ensemble).ensemble.steps.dtype == steps


def test_runs_without_group_labels_or_findings_come_back(tmp_path):
    table = answers.runs(group=None, labels={}, findings=())
    assert answers.is_identical(back(tmp_path, answers.fit(runs=table)).fit.runs, table)


def test_the_standard_errors_of_runs_come_back(tmp_path):
    table = answers.runs(sigma=np.geomspace(1e-4, 0.3, len(answers.HOSTILE)))
    assert answers.is_identical(load(save(tmp_path / "out", answers.fit(runs=table))).fit.runs, table)


def test_a_column_with_a_second_axis_comes_back(tmp_path):
    table = answers.runs(columns={"rates": np.arange(30.0).reshape(10, 3)})
    assert answers.is_identical(back(tmp_path, answers.fit(runs=table)).fit.runs, table)


def test_strided_and_big_endian_arrays_are_saved_by_value(tmp_path):
    values = np.arange(24, dtype=">f8")[::2]
    again = back(tmp_path, answers.ensemble(value=values)).ensemble.value
    np.testing.assert_array_equal(again, values)
    assert again.dtype == np.float64


def test_the_document_is_strict_json_without_nan_and_in_ascii(tmp_path):
    folder = save(tmp_path / "out", everything(), own_digest="0a1b2c3d")
    text = (folder / "result.json").read_bytes().decode("ascii")
    found = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert "\x1b" not in text
    assert found["schema_version"] == 4
    assert found["kind"] == "jaxscale-result"
    assert found["digest"] == "0a1b2c3d"
    assert found["fit"]["law"]["name"] == "chinchilla"
    assert found["fit"]["coefs"]["E"] == 1.8172


def test_nan_is_null_in_the_document(tmp_path):
    folder = save(tmp_path / "out", answers.fit(value=math.nan, status=Status.NON_FINITE))
    assert json.loads((folder / "result.json").read_text())["fit"]["value"] is None


def test_the_archive_opens_in_numpy_without_pickle(tmp_path):
    folder = save(tmp_path / "out", everything())
    with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fiu" for name in archive.files)


def test_the_same_result_is_the_same_bytes(tmp_path):
    folders = [save(tmp_path / name, everything()) for name in ("a", "b")]
    for file in ("result.json", "arrays.npz"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("/home/someone/runs.csv", "runs.csv"),
        ("C:\\Users\\someone\\runs.csv", "runs.csv"),
        ("\\\\host\\share\\runs.csv", "runs.csv"),
        ("/", "/"),
        ("pilot/runs.csv", "pilot/runs.csv"),
        ("<stdin>", "<stdin>"),
    ],
)
def test_the_folders_of_this_machine_are_not_saved(tmp_path, source, kept):
    table = answers.runs(origin=replace(answers.runs().origin, source=source))
    folder = save(tmp_path / "out", answers.fit(runs=table))
    assert load(folder).fit.runs.origin.source == kept
    assert b"someone" not in (folder / "result.json").read_bytes()


def test_no_field_of_an_answer_is_forgotten():
    """A new field in an answer must be saved, and listed here."""
    known = {
        Fit: "law objective runs coefs value status certificate std residuals fixed solver findings provenance "
        "unidentified common held joint covariance "
        "robust",  # common and whole are of a group's part, whose saving is refused
        Ensemble: "fit scheme seed coefs value status steps findings provenance whole without fitted covariance "
        "jackknife nested profile replicate",
        Nested: "noise seed coefs status",
        Frontier: "law coefs flops params tokens loss at_point measured findings fixed jackknife ranks std point_std "
        "dof robust_std robust_dof profile exponents",
        LikelihoodProfile: "roots values below above",
        Certificate: "scaled_gradient condition starts agreeing_starts other_minima",
        Minimum: "value coefs starts",
        Provenance: "jaxscale jax numpy python backend precision compile_seconds run_seconds programs",
        Runs: "columns loss weight group labels row origin findings sigma",
        Origin: "source sha256 rows columns derived where left_out scale units_ok lowest_per",
        Finding: "code message rows",
        Study: "fit ensemble frontier level interval budgets at groups reduced line comparison",
        Count: "convention fit changed same_as frontier exponent",
        Counts: "counts left_out",
    }
    assert {kind: " ".join(field.name for field in fields(kind)) for kind in known} == known


def test_a_digest_names_data_and_options_in_any_order():
    name = digest_of("ab" * 32, {"law": "chinchilla", "seed": 0})
    assert len(name) == 8
    assert set(name) <= set("0123456789abcdef")
    assert digest_of("ab" * 32, {"seed": 0, "law": "chinchilla"}) == name
    assert digest_of("ab" * 32, {"law": "chinchilla", "seed": 1}) != name
    assert digest_of("cd" * 32, {"law": "chinchilla", "seed": 0}) != name


@pytest.mark.parametrize(("option", "error"), [(math.nan, ValueError), (object(), TypeError)])
def test_a_digest_takes_only_strict_json(option, error):
    with pytest.raises(error):
        digest_of("ab" * 32, {"option": option})
