"""The desk's figures as drawings. Each stands beside the table that it is made of, which says the same in numbers; its
colours of text and ground are the style sheet's."""

from collections.abc import Sequence
from itertools import count
from xml.etree.ElementTree import Element, fromstring, tostring

import leather
from leather import theme
from markupsafe import Markup

from tasks.case.kind import Table

WIDTH, BAR, AROUND, UPRIGHT = 760, 26, 110, 300
"""Pixels: a drawing's width, what a lying bar needs, what is above and below them, the height of standing ones."""
GOOD, BAD, OPEN = "#2f6fa8", "#c2571f", "#9aa5b1"
TICKS = 5
SVG = "{http://www.w3.org/2000/svg}"

theme.tick_font_size = theme.legend_font_size = 13
# A Chinese character is as wide as it is high.
theme.tick_font_char_width = theme.legend_font_char_width = 13
theme.margin = 0.02

Part = tuple[str, str, Sequence[int]]
"""A name, a colour, and a number for each bar."""


def lying(table: Table, labels: int, parts: Sequence[Part], said: str) -> Markup:
    """Bars under each other, one a row of a table, whose first ``labels`` columns name it. Of the ``parts`` each holds
    those after it, which are drawn over it; ``said`` is what the drawing shows, for who cannot see it. Of no rows there
    is no drawing."""
    names = [" ".join(row[:labels]) for row in table.rows]
    if not names:
        return Markup()
    chart, most = _chart(parts)
    chart.add_x_scale(0, most)
    chart.add_x_axis(ticks=_ticks(most))
    for name, colour, numbers in parts:
        chart.add_bars(list(zip(numbers, names, strict=True)), name=name, fill_color=colour)
    return _drawn(chart, AROUND + BAR * len(names), said)


def standing(table: Table, parts: Sequence[Part], said: str) -> Markup:
    """As ``lying``, upright; the first column of the table names the bars."""
    names = [row[0] for row in table.rows]
    chart, most = _chart(parts)
    chart.add_y_scale(0, most)
    chart.add_y_axis(ticks=_ticks(most))
    for name, colour, numbers in parts:
        chart.add_columns(list(zip(names, numbers, strict=True)), name=name, fill_color=colour)
    return _drawn(chart, UPRIGHT, said)


def numbers_in(table: Table, *places: int) -> list[int]:
    """The sum of some columns of a table, row by row."""
    return [sum(int(row[place]) for place in places) for row in table.rows]


def _chart(parts: Sequence[Part]) -> tuple[leather.Chart, int]:
    return leather.Chart(), max((number for _, _, numbers in parts for number in numbers), default=0) or 1


def _ticks(most: int) -> list[int]:
    """Round numbers from none to the greatest at most."""
    steps = (figure * 10**power for power in count() for figure in (1, 2, 5))
    return list(range(0, most + 1, next(step for step in steps if most <= TICKS * step)))


def _drawn(chart: leather.Chart, height: int, said: str) -> Markup:
    root = fromstring(chart.to_svg(width=WIDTH, height=height))  # noqa: S314 (drawn right here)
    root.attrib |= {"role": "img", "aria-label": said, "class": "chart", "viewBox": f"0 0 {WIDTH} {height}"}
    for each in root.iter():
        _styled(each)
    return Markup(tostring(root, encoding="unicode").replace("ns0:", "").replace(":ns0", ""))  # noqa: S704


def _styled(each: Element) -> None:
    """Leave the font, and the colour of text and ground, to the style sheet."""
    each.attrib.pop("font-family", None)
    if each.tag == f"{SVG}text":
        each.attrib.pop("fill", None)
    elif each.get("fill") == theme.background_color:
        each.set("fill", "none")
