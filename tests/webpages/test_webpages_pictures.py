"""The figures of a page, whose text is text: none is cut, none stands on another, all of it can be read."""

from itertools import combinations

import pytest

LEAST_PIXELS = 9.0
"""Of a letter: what browsers take for the smallest size that people set."""
COVERED = 0.15
"""Share of the smaller of two boxes of ink that the other may cover: of two lines of a paragraph one goes below its
base where the other rises to its height, a few letters of each."""
SLACK = 1.0
"""Pixels by which a box may pass the edge of its figure."""
CONTRAST = 4.5
"""Of text and paper, by WCAG 2.2."""

MEASURED = """
(images) => images.map((image) => {
  const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (one) => one.charCodeAt(0));
  const parsed = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml");
  const svg = document.adoptNode(parsed.documentElement);
  const place = document.body.appendChild(document.createElement("div"));
  place.style.cssText = `position: absolute; top: 0; left: 0; width: ${image.getBoundingClientRect().width}px`;
  svg.removeAttribute("height");
  svg.setAttribute("width", "100%");
  place.append(svg);
  const frame = svg.getBoundingClientRect();
  const scale = frame.width / svg.viewBox.baseVal.width;
  const pen = document.createElement("canvas").getContext("2d");
  const channels = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255);
  // the ink of each letter: a box of a browser is as high as the highest font of its line
  const inked = (part) => {
    const style = getComputedStyle(part), matrix = part.getScreenCTM(), corners = [];
    pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    for (let at = 0; at < part.getNumberOfChars(); at++) {
      const letter = part.textContent[at];
      if (!letter.trim()) continue;
      const from = part.getStartPositionOfChar(at), ink = pen.measureText(letter);
      for (const x of [from.x - ink.actualBoundingBoxLeft, from.x + ink.actualBoundingBoxRight]) {
        for (const y of [from.y - ink.actualBoundingBoxAscent, from.y + ink.actualBoundingBoxDescent]) {
          corners.push(new DOMPoint(x, y).matrixTransform(matrix));
        }
      }
    }
    return corners;
  };
  const texts = [...svg.querySelectorAll("text")].map((text) => {
    const spans = [...text.querySelectorAll("tspan")], parts = spans.length ? spans : [text];
    const corners = parts.flatMap(inked);
    const across = corners.map((one) => one.x - frame.left), down = corners.map((one) => one.y - frame.top);
    const sizes = parts.map((one) => parseFloat(getComputedStyle(one).fontSize));
    return {
      said: text.textContent.replace(/\\s+/g, ""), pixels: scale * Math.max(...sizes),
      left: Math.min(...across), right: Math.max(...across), top: Math.min(...down), bottom: Math.max(...down),
      fill: channels(getComputedStyle(text).fill),
    };
  });
  const behind = channels(getComputedStyle(svg.querySelector("#patch_1 path")).fill);
  place.remove();
  return {title: image.alt, width: frame.width, height: frame.height, paper: behind, texts: texts};
})
"""


@pytest.fixture(params=[400, 1400])
def tab(request, visit, page):
    """The page of that width without JavaScript, which shows every figure."""
    return visit(page, viewport={"width": request.param, "height": 900}, java_script_enabled=False)


def figures_in(tab):
    found = tab.locator("figure img").evaluate_all(MEASURED)
    assert len(found) >= 4
    assert all(len(one["texts"]) > 10 for one in found)
    return found


def area(left, right, top, bottom):
    return max(right - left, 0.0) * max(bottom - top, 0.0)


def covered(one, other):
    """Return the share of the smaller box that the other one covers."""
    both = area(
        max(one["left"], other["left"]), min(one["right"], other["right"]),
        max(one["top"], other["top"]), min(one["bottom"], other["bottom"]),
    )  # fmt: skip
    return both / max(
        min(area(*(box[side] for side in ("left", "right", "top", "bottom"))) for box in (one, other)), 1.0
    )


def luminance(color):
    """Return the relative luminance of an sRGB colour.   Source: WCAG 2.2, section 5."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in color]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_text_of_a_figure_is_cut(tab):
    for figure in figures_in(tab):
        cut = [
            one["said"]
            for one in figure["texts"]
            if one["left"] < -SLACK
            or one["top"] < -SLACK
            or one["right"] > figure["width"] + SLACK
            or one["bottom"] > figure["height"] + SLACK
        ]
        assert cut == [], figure["title"]


def test_no_text_of_a_figure_stands_on_another(tab):
    for figure in figures_in(tab):
        pairs = combinations(figure["texts"], 2)
        assert [(a["said"], b["said"]) for a, b in pairs if covered(a, b) > COVERED] == [], figure["title"]


def test_the_text_of_every_figure_is_large_enough(tab):
    for figure in figures_in(tab):
        assert min(one["pixels"] for one in figure["texts"]) >= LEAST_PIXELS, figure["title"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_of_every_figure_stands_out_from_its_paper(visit, page, scheme):
    tab = visit(page, color_scheme=scheme, java_script_enabled=False)
    for figure in figures_in(tab):
        paper = luminance(figure["paper"])
        for one in figure["texts"]:
            ends = sorted([paper, luminance(one["fill"])])
            assert (ends[1] + 0.05) / (ends[0] + 0.05) >= CONTRAST, (figure["title"], one["said"])


def test_every_section_can_be_read_without_javascript(tab):
    for section in tab.locator("main section, section").all():
        assert section.locator("h2").is_visible()
        assert len(section.inner_text()) > 100
    width = tab.viewport_size["width"]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
