"""One call makes what the commands make: fit, replicates, frontiers, groups, a reduced fit, and other conventions."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting import group_of
from jaxscale.refitting.starting import REFITTING
from jaxscale.refitting.survey import SURVEYING
from jaxscale.reports import fit_document
from jaxscale.results import Study
from jaxscale.studying import making, with_frontiers

FLOPS = np.geomspace(1e17, 1e21, 20)


@pytest.fixture(scope="module")
def runs():
    noise = 0.001 * np.random.default_rng(1).standard_normal((2, 20))
    loss = np.concatenate([20.0 * FLOPS**-0.05, 26.0 * FLOPS**-0.05]) * np.exp(noise.ravel())
    corpus = np.repeat(["books", "web"], 20)
    return js.Runs.from_arrays(flops=np.tile(FLOPS, 2), loss=loss, group=corpus)


@pytest.fixture(scope="module")
def books(runs):
    return runs.take(np.arange(20), "of another group")


@pytest.fixture(scope="module")
def study(books):
    return js.study(books, "pure-power", replicates=30, seed=7, budgets=[1e22, 1e24], level=0.8)


@pytest.fixture(scope="module")
def grouped(runs):
    return js.study(runs, "pure-power", per_group="A", replicates=30, budgets=[1e22])


@pytest.fixture(scope="module")
def refused():
    """Tokens are 20 params in every run."""
    params = np.geomspace(3e7, 1e10, 14)
    loss = (1.8 + 480 * params**-0.35 + 2100 * (20 * params) ** -0.37) * np.exp(
        0.005 * np.random.default_rng(1).standard_normal(14)
    )
    return js.Runs.from_arrays(params=params, tokens=20 * params, loss=loss)


def test_a_study_is_the_fit_its_replicates_and_their_frontier(books, study):
    fit = js.fit(books, "pure-power")
    ensemble = js.bootstrap(fit, replicates=30, seed=7)
    frontier = js.frontier(ensemble, flops=[1e22, 1e24])
    assert study.fit.coefs == fit.coefs
    np.testing.assert_array_equal(study.ensemble.coefs["alpha"], ensemble.coefs["alpha"])
    np.testing.assert_array_equal(study.frontier.loss, frontier.loss)
    assert (study.level, study.interval.name, study.budgets) == (0.8, "percentile", (1e22, 1e24))
    assert study.is_trustworthy


def test_without_budgets_they_are_multiples_of_the_largest_compute(books):
    study = js.study(books, "pure-power", replicates=0)
    np.testing.assert_allclose(study.frontier.flops, np.array([1, 3, 10, 30, 100]) * 1e21, rtol=1e-12)
    assert study.ensemble is None
    assert study.frontier_band("loss") is None


def test_another_level_belongs_to_the_parts_too(grouped):
    shown = grouped.shown(level=0.5)
    narrow, wide = (one.groups["web"].frontier_band("loss") for one in (shown, grouped))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert shown.shown() == shown


def test_groups_have_studies_of_their_own(grouped):
    assert list(grouped.groups) == ["books", "web"]
    assert grouped.frontier is None
    for group, part in grouped.groups.items():
        assert part.fit.coefs == group_of(grouped.fit, group).coefs
        frontier = js.frontier(group_of(grouped.ensemble, group), flops=[1e22])
        np.testing.assert_array_equal(part.frontier.loss, frontier.loss)


def test_groups_come_back_with_everything_they_had(tmp_path, grouped):
    again = js.load(js.save(tmp_path / "out", grouped))
    for group, part in grouped.groups.items():
        other = again.groups[group]
        assert fit_document(other) == fit_document(part)
        np.testing.assert_array_equal(other.frontier.loss, part.frontier.loss)
    with pytest.raises(UsageError, match="which are not the groups"):
        js.save(tmp_path / "other", replace(grouped, groups={"web": grouped.groups["web"]}))


@pytest.mark.slow
def test_a_table_that_does_not_carry_the_law_is_reduced_to_what_it_shows(tmp_path, refused):
    study = js.study(refused, replicates=20, budgets=[1e20])
    assert not study.is_trustworthy
    assert study.frontier is None
    assert (study.line, study.reduced.fit.law.name) == ("tokens = 20 params", "power")
    assert study.reduced.ensemble.usable.all()
    again = js.load(js.save(tmp_path / "out", study))
    assert fit_document(again) == fit_document(study)
    np.testing.assert_array_equal(again.reduced.frontier.loss, study.reduced.frontier.loss)


def test_a_comparison_of_conventions_is_part_of_the_study(tmp_path):
    pilot = js.datasets.load("pilot")
    study = js.study(pilot, "power-params", replicates=0, budgets=[1e13], conventions=["6nd"])
    assert [one.convention.name for one in study.comparison.counts] == ["measured", "6nd"]
    again = js.load(js.save(tmp_path / "out", study))
    assert fit_document(again) == fit_document(study)


def test_what_is_fixed_in_a_study_is_fixed_under_every_convention():
    pilot = js.datasets.load("pilot")
    study = js.study(pilot, "power-params", fix={"alpha": 0.2}, replicates=0, budgets=[1e13], conventions=["6nd"])
    for one in study.comparison.counts:
        assert one.fit.fixed == ("alpha",)
        assert one.fit.coefs == pytest.approx(study.fit.coefs, rel=1e-9)  # the law takes params, which 6 N D leaves


def test_what_was_asked_is_saved_and_other_budgets_are_found_at_it(tmp_path, study):
    again = js.load(js.save(tmp_path / "out", study))
    assert (again.level, again.budgets, again.at) == (0.8, (1e22, 1e24), {})
    other = with_frontiers(again.asked(budgets=(1e23,), at={}))
    np.testing.assert_allclose(other.frontier.loss, js.frontier(study.ensemble, flops=1e23).loss, rtol=1e-12)


def test_each_stage_and_the_fit_are_told(books):
    told, done, fits = [], {}, []

    def count(more):
        done[told[-1]] = done.get(told[-1], 0) + more

    watch = {"on_stage": lambda text, total: told.append(text), "on_done": count, "on_fit": fits.append}
    study = js.study(books, "pure-power", replicates=30, budgets=[1e22], **watch)
    inside = [text for text in told[1:-1] if not text.startswith(f"{SURVEYING}: ")]
    assert (told[0], told[-1]) == (making.FITTING_STAGE.format(law="pure-power"), making.FRONTIER_STAGE)
    assert inside.count(REFITTING) == 1
    assert done[REFITTING] == 30
    assert fits == [study.fit]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"law": "pure-powr"}, UsageError, "Did you mean 'pure-power'"),
        ({"scheme": "pars"}, UsageError, "Did you mean 'pairs'"),
        ({"interval": "percentil"}, UsageError, "Did you mean 'percentile'"),
        ({"level": 95}, UsageError, "0.95"),
        ({"replicates": -1}, UsageError, "replicates = -1"),
        ({"replicates": True}, UsageError, "replicates = True"),
        ({"scheme": "cluster"}, RunsError, "2 groups for the scheme 'cluster'"),
        ({"conventions": ["six"]}, UsageError, "unknown convention"),
    ],
)
def test_what_is_impossible_is_refused(runs, options, error, message):
    with pytest.raises(error, match=message):
        js.study(runs, **{"law": "pure-power", "replicates": 30, **options})


def test_parts_of_different_computations_are_no_study(study, grouped):
    with pytest.raises(UsageError, match="another fit"):
        Study(study.fit, grouped.ensemble)
