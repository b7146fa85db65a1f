"""Makes matplotlib's SVG fit to stand in a page: real text, the page's colours and letters, a title for screen readers.

What matplotlib writes differs from version to version in details; this takes what it needs and leaves out the rest.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pretune.core.language import say
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

SVG = "{http://www.w3.org/2000/svg}"  # the name of a namespace; nothing is ever fetched from it
_KEPT = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "fill-opacity",
    "opacity",
    "text-anchor",
)
_SIZE = re.compile(r"(?:^|\s)([\d.]+)px")


def cleaned(drawn: str, colours: Mapping[str, str], *, name: str, title: str, description: str) -> str:
    """An SVG element for a page.

    Args:
        drawn: the file that matplotlib wrote.
        colours: the colour it was drawn in, `#rrggbb` -> what the page calls it, `var(--ink)`.
        name: begins the names of elements, so that several pictures can stand in one page.
        title: what is seen, in a few words.
        description: what it shows, in a sentence.
    """
    root = ET.fromstring(drawn)  # noqa: S314 - written by matplotlib a moment ago
    box = root.get("viewBox", "")
    _, _, width, height = box.split()
    body = "".join(_element(child, colours) for child in root)
    return (
        f'<svg viewBox="{escape(box)}" width="{float(width):g}" height="{float(height):g}" role="img" '
        f'aria-labelledby="{escape(name)}-title {escape(name)}-desc">'
        f'<title id="{escape(name)}-title">{escape(one_line(say(title)))}</title>'
        f'<desc id="{escape(name)}-desc">{escape(one_line(say(description)))}</desc>{body}</svg>'
    )


def _element(node: ET.Element, colours: Mapping[str, str]) -> str:
    """One element and what stands in it; groups only where they move something."""
    tag = node.tag.removeprefix(SVG)
    if tag in ("metadata", "defs", "style", "use"):  # marks of ticks and clipping are not drawn
        return ""
    inner = "".join(_element(child, colours) for child in node)
    if tag == "g":
        moved = node.get("transform")
        return f'<g transform="{escape(moved)}">{inner}</g>' if moved and inner else inner
    style = dict(part.split(":", 1) for part in node.get("style", "").split(";") if ":" in part)
    style = {name.strip(): value.strip() for name, value in style.items()}
    told = {name: value for name, value in style.items() if name in _KEPT}
    if tag == "text":
        told |= _letters(style)
        inner = escape(node.text or "")
    elif tag != "path" or (told.get("fill") == "none" and "stroke" not in told):
        return inner
    for name in ("fill", "stroke"):
        if name in told:
            told[name] = colours.get(told[name], told[name])
    kept = {key: node.get(key, "") for key in ("d", "x", "y", "transform") if node.get(key)}
    if kept.get("transform", "").startswith(("rotate(-0 ", "rotate(0 ")):
        del kept["transform"]
    if "d" in kept:
        kept["d"] = " ".join(kept["d"].split())
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
    styled = ";".join(f"{key}:{value}" for key, value in told.items())
    return f'<{tag}{attributes} style="{escape(styled)}">{inner}</{tag}>'


def _letters(style: Mapping[str, str]) -> dict[str, str]:
    """Size and weight of the letters; the family is the page's."""
    size = style.get("font-size") or next(iter(_SIZE.findall(style.get("font", ""))), "12")
    weight = style.get("font-weight") or ("700" if re.search(r"\b(700|bold)\b", style.get("font", "")) else "400")
    heavy = {"font-weight": weight} if weight not in ("400", "normal") else {}
    return {"font-size": f"{float(size.removesuffix('px')):g}px", **heavy}
