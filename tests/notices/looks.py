"""What a letter's colours come to: each text with its colour and its ground, in light and in dark."""

import re
from html.parser import HTMLParser

READABLE = 4.5
"""WCAG 2.2, 1.4.3 (AA): the contrast of text that is not large."""
BUTTONS = {"#1d4f91", "#8fbcf2"}
_VOID = {"meta", "br"}


class Looked(HTMLParser):
    """``texts`` are (text, colour, ground). In light only what stands inline counts, as where <style> is dropped."""

    def __init__(self, html: str, *, dark: bool) -> None:
        super().__init__()
        self.texts: list[tuple[str, str, str]] = []
        self._rules = _dark_rules(html) if dark else {}
        self._open = [("", "#000000", "#ffffff")]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = dict(attrs)
        looks = _declared(given.get("style") or "")
        if "background-color" in looks:
            assert "color" in looks, f"{tag} has a ground and leaves its text to chance"
        for name in (given.get("class") or "").split():
            looks |= self._rules.get(name, {})
        _, colour, ground = self._open[-1]
        self._open.append((tag, looks.get("color", colour), looks.get("background-color", ground)))

    def handle_endtag(self, tag: str) -> None:
        # Where HTML allows it, templates leave no tag open; the innermost of this name is meant.
        while self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _, _ in self._open}
        if data.strip() and not inside & {"head", "style", "title"}:
            self.texts.append((data.strip(), *self._open[-1][1:]))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours written ``#rrggbb`` (WCAG 2.2, "contrast ratio"): 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _declared(style: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return {name.strip(): value.replace("!important", "").strip() for name, value in pairs}


def _dark_rules(html: str) -> dict[str, dict[str, str]]:
    block = re.search(r"(?s)@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}", html)
    assert block is not None
    return {name: _declared(style) for name, style in re.findall(r"(?m)^\.([a-z]+) \{([^}]*)\}", block[1])}
