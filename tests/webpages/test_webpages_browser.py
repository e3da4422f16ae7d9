"""The page in Chromium: it opens fast and alone, its sliders answer, it fits every width, and everybody can read it."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.planning import at_most

pytestmark = pytest.mark.slow  # each a page that Chromium opens; their contents are read in the default run, too

SOON = 2.0
"""Seconds in which the page of a study is to open."""
TRIES = 8
WIDTHS = (400, 1400)


def test_it_opens_soon_asks_for_nothing_and_complains_of_nothing(visit, page):
    seconds = []
    while len(seconds) < TRIES and min(seconds, default=np.inf) > SOON:  # a busy machine is no failure
        tab = visit(page)
        seconds.append(tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000.0)
        assert tab.complaints == []
        assert [url for url in tab.asked if not url.startswith(("data:", "blob:"))] == [page.as_uri()]
    assert 0.0 < min(seconds) <= SOON


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_scrolls_sideways(visit, page, width, scheme):
    tab = visit(page, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_it_follows_the_scheme_of_the_screen(visit, page):
    papers = [
        visit(page, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert papers[0] == "rgb(255, 255, 255)"
    assert papers[1] != papers[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(visit, page, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visit(page, viewport={"width": width, "height": 900}, color_scheme=scheme)).response
    assert len(found["passes"]) > 20
    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"] if one["impact"] != "minor"]
    assert told == []


def moved(tab, **steps):
    """Set sliders to steps and return what the cards hold: quantity → number, by the bits that the script read."""
    for name, step in steps.items():
        tab.locator(f"#what-if-0 input[name={name}]").fill(str(step))
    cards = tab.locator("#what-if-0 [data-quantity]")
    return {card.get_attribute("data-quantity"): float(card.get_attribute("data-value")) for card in cards.all()}


def test_the_sliders_give_the_plans_of_the_same_draws(visit, page, study):
    """Each combination is a plan by `js.plan`, of the fit, with the quantiles of the plans of the replicates."""
    tab = visit(page)
    grid = tab.evaluate("JSON.parse(document.getElementById('page-data').textContent).parts[0].what_if")
    steps, ensemble = grid["steps"], study.ensemble
    assert steps["params"][-1] is None
    assert steps["tokens"][-1] is None
    seen = set()
    for flops, params, tokens in ((0, -1, -1), (-1, -1, -1), (12, 2, -1), (12, -1, 3), (-1, 1, 1)):
        at = {"flops": flops, "params": params, "tokens": tokens}
        found = moved(tab, **{name: step % len(steps[name]) for name, step in at.items()})
        caps = {name: steps[name][at[name]] for name in ("params", "tokens")}
        limits = [at_most(name, cap) for name, cap in caps.items() if cap is not None]
        best = js.plan(ensemble, flops=steps["flops"][flops], limits=limits)
        for name in ("params", "tokens", "loss"):
            np.testing.assert_allclose(found[name], getattr(best.point, name), rtol=2e-5)  # six digits are written
            low, high = np.nanquantile(getattr(best, name), (0.025, 0.975))
            stated = [grid["values"][name][side][params][tokens][flops] for side in (1, 2)]
            np.testing.assert_allclose(stated, (low, high), rtol=2e-5)
        np.testing.assert_allclose(found["tokens_per_param"], best.point.tokens / best.point.params, rtol=2e-5)
        seen.add(found["params"])
    assert len(seen) == 5


def test_a_slider_moves_by_keys_and_says_what_it_is_at(visit, page):
    tab = visit(page)
    slider = tab.locator("#what-if-0 input[name=params]")
    before = slider.get_attribute("aria-valuetext")
    assert before == "no cap"
    slider.focus()
    tab.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext").endswith(" params")
    assert tab.locator("#what-if-0 output[data-of=params]").inner_text() == slider.get_attribute("aria-valuetext")


def test_the_chart_shows_the_plan_of_the_sliders(visit, page):
    tab = visit(page)
    found = moved(tab, params=0)
    held = "Bokeh.documents[0].roots()[0].children[0].renderers.find((one) => one.name === 'asked').data_source.data"
    drawn = tab.evaluate(f"Object.fromEntries(Object.entries({held}).map(([name, column]) => [name, [...column]]))")
    assert drawn == {"x": [found["flops"]], "y": [found["params"]]}


def test_without_javascript_all_is_there_but_what_moves(visit, page):
    tab = visit(page, java_script_enabled=False)
    assert tab.locator("#answer .lead").is_visible()
    assert tab.locator("#frontier img").first.is_visible()
    assert tab.locator("#methods-text").is_visible()
    assert not tab.locator("#what-if-0").is_visible()
    assert tab.locator("#what-if .without-script").is_visible()


def test_on_paper_there_is_a_figure_in_place_of_the_chart(visit, page):
    tab = visit(page)
    assert tab.locator("#chart-0").is_visible()
    assert not tab.locator("#frontier img").first.is_visible()
    tab.emulate_media(media="print")
    assert not tab.locator("#chart-0").is_visible()
    assert tab.locator("#frontier img").first.is_visible()
    assert not tab.locator("#what-if-0 input").first.is_visible()
    assert tab.pdf()[:5] == b"%PDF-"
