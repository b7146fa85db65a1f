"""Opens a page in a real browser as people have it: wide, narrow, light, dark, by keyboard, on paper. Returns what is wrong.

Needs playwright, axe-playwright-python (extra `pages`) and a chromium of the system; it installs nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WIDTHS = (390, 820, 1280)
THEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

OVERFLOWING = """() => {
  const root = document.documentElement, wide = root.clientWidth;
  const found = root.scrollWidth > wide ? [`the page is ${root.scrollWidth} wide, the window ${wide}`] : [];
  for (const one of document.querySelectorAll("body *")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || one.closest(".scroll, .source, svg, .unseen")) continue;
    if (box.right > wide + 1 || box.left < -1) found.push(`${one.tagName} ${one.className} leaves the window`);
  }
  return found.slice(0, 5);
}"""
"""What is wider than the window, where nothing scrolls on its own."""

PICTURES = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(part => part / 255)
      .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const contrast = colour => {
    const ink = light(colour);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  };
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const words = [...svg.querySelectorAll("text")].filter(one => one.textContent.trim());
    const boxes = words.map(one => [one.textContent, one.getBoundingClientRect(), parseFloat(getComputedStyle(one).fontSize)]);
    const scale = frame.width / svg.viewBox.baseVal.width;
    for (const one of words) {
      const ratio = contrast(getComputedStyle(one).fill);
      if (ratio < 4.5) found.push(`"${one.textContent}" has a contrast of ${ratio.toFixed(1)}`);
    }
    for (const [text, box, size] of boxes) {
      if (size * scale < 9) found.push(`"${text}" is ${(size * scale).toFixed(1)} px high`);
      if (box.left < frame.left - 2 || box.right > frame.right + 2) found.push(`"${text}" leaves its picture`);
    }
    boxes.forEach(([text, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > Math.min(a.height, b.height) * 0.4) found.push(`"${text}" lies on "${other}"`);
    }));
  }
  return found.slice(0, 8);
}"""
"""Words of pictures that are tiny, pale, cut, or lie on each other; axe looks at no SVG."""

STOPS = """() => [...document.querySelectorAll("a[href], summary, button, input, select, textarea, [tabindex]")]
  .filter(one => one.tabIndex >= 0 && one.checkVisibility({visibilityProperty: true})).length"""
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  window.stops ??= new Set();
  const known = window.stops.has(one), look = getComputedStyle(one);
  window.stops.add(one);
  const seen = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1;
  const box = one.getBoundingClientRect();
  const there = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return {known, seen: seen && there, name: `${one.tagName} ${one.textContent.trim().slice(0, 40)}`};
}"""
"""What has the keyboard, and whether that is seen."""

PAPER = """() => {
  const light = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return a === 0 ? 1 : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  const found = [], ground = light(getComputedStyle(document.body).backgroundColor);
  if (ground < 0.9) found.push("the paper is dark");
  for (const one of document.querySelectorAll("h1, h2, h3, p, li, td, th, figcaption, summary")) {
    if (one.checkVisibility() && light(getComputedStyle(one).color) > 0.6) found.push(`${one.tagName} is pale`);
  }
  for (const one of document.querySelectorAll(".scroll")) {
    if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible") found.push("a table is cut");
  }
  return found.slice(0, 5);
}"""
"""What would not be read on white paper."""

HANGUL = """() => {
  const drawn = word => {
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
    canvas.width = canvas.height = 40;
    pen.font = "24px " + getComputedStyle(document.body).fontFamily;
    pen.fillText(word, 4, 30);
    return pen.getImageData(0, 0, 40, 40).data.join();
  };
  const [one, other, none] = ["한", "글", "\\u{10fffd}"].map(drawn);
  return one === other || one === none ? ["Hangul is drawn as boxes"] : [];
}"""


def missing() -> str:
    """Why pages cannot be opened here; empty: they can."""
    from importlib.util import find_spec

    for name in ("playwright", "axe_playwright_python"):
        if find_spec(name) is None:
            return f'needs {name}: pip install "pretune[pages]"'
    return "" if _chromium() else "needs a chromium of the system: apt install chromium, or CHROMIUM=its path"


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window, closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def looked_at(opened: Any, page: Path, lang: str, *, pictures: Path | None = None) -> list[str]:
    """What is wrong with a page, each with the width and theme it was found in; nothing, where all is well.

    Args:
        opened: the browser.
        page: the file.
        lang: the language it has to say it is in.
        pictures: a folder for screenshots; None: none are made.
    """
    found: list[str] = []
    for theme in THEMES:
        for width in WIDTHS:
            with _tab(opened, page, width, theme, found) as tab:
                wrong = _seen(tab)
                if width != 820:  # the layout is that of 1280, narrower
                    wrong += _broken_rules(tab)
                if theme == "light" and width != 820:
                    wrong += _by_keyboard(tab)
                found += [f"{theme} {width}: {one}" for one in wrong]
                if pictures is not None:
                    tab.screenshot(path=pictures / f"{page.stem}-{theme}-{width}.png", full_page=True)
    with _tab(opened, page, 820, "dark", found) as tab:
        tab.emulate_media(media="print", color_scheme="dark")
        found += [f"print: {one}" for one in [*tab.evaluate(PAPER), *tab.evaluate(HANGUL)]]
        said = tab.evaluate("document.documentElement.lang")
        if said != lang:
            found.append(f'lang is "{said}", expected "{lang}"')
        if pictures is not None:
            tab.pdf(path=pictures / f"{page.stem}.pdf", format="A4")
    return found


@contextmanager
def _tab(opened: Any, page: Path, width: int, theme: str, found: list[str]) -> Iterator[Any]:
    """The page in a window; what it asks of the network and what it complains about is kept."""
    window = {"width": width, "height": 900}
    with opened.new_context(viewport=window, color_scheme=theme, reduced_motion="reduce", offline=True) as context:
        tab = context.new_page()
        tab.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or found.append(f"asks {asked.url}"))
        tab.on("console", lambda told: told.type in ("error", "warning") and found.append(f"console: {told.text}"))
        tab.on("pageerror", lambda error: found.append(f"error: {error}"))
        tab.goto(page.as_uri())
        yield tab


def _seen(tab: Any) -> list[str]:
    """What does not fit, first as it opens, then with everything unfolded."""
    closed = [*tab.evaluate(OVERFLOWING), *tab.evaluate(PICTURES)]
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    return list(dict.fromkeys([*closed, *tab.evaluate(OVERFLOWING), *tab.evaluate(PICTURES)]))


def _broken_rules(tab: Any) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA and good practice."""
    from axe_playwright_python.sync_playwright import Axe

    broken = Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in broken
        for node in rule["nodes"][:3]
    ]


def _by_keyboard(tab: Any) -> list[str]:
    """Stops that Tab does not reach, or where nobody sees it."""
    wrong: list[str] = []
    stops = tab.evaluate(STOPS)
    reached = 0
    for _ in range(stops + 2):
        tab.keyboard.press("Tab")
        at = tab.evaluate(FOCUS)
        if at is None or at["known"]:
            continue
        reached += 1
        if not at["seen"]:
            wrong.append(f"the focus is not seen on {at['name']!r}")
    return wrong if reached >= stops else [*wrong, f"Tab reaches {reached} of {stops} stops"]
