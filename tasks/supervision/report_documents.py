"""A report on supervision as a page and as a PDF: the same figures, the same bytes every time."""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifications.rendering import SENDER_NAME, full_date
from regulation.limits import MEASURES_VERSION
from regulation.supervision_reports import percentage
from tasks.case.kind import Table
from tasks.supervision.figures import Figures, Section

NOTHING = "本期没有。"
HERE = Path(__file__).parent
WIDTH, LEFT, BOTTOM, HEIGHT = 640, 92, 170, 140
"""Of the drawing of a trend, in its own units; ``HEIGHT`` is that of 100 %."""


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        # Every template here is markup, the drawing too.
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def title_of(figures: Figures) -> str:
    return f"{figures.period.label}电子证照监督报告"


def page_of(figures: Figures, pdf: str) -> str:
    """The report as an HTML page that loads nothing from anywhere; ``pdf`` is where the PDF stands."""
    return _templates().get_template("report.html").render(_shown(figures), pdf=pdf)


def pdf_of(figures: Figures) -> bytes:
    """The report as a PDF/A-2b."""
    pdf = typst.compile(
        (HERE / "report.typ").read_bytes(),
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[pylopdf_fonts_zh_cn.sans_path().parent]),
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="a-2b",
        # A report has no time of its own making in it, or the same one would never come out twice.
        timestamp=0,
        sys_inputs={"report": json.dumps(_shown(figures), ensure_ascii=False)},
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gives one PDF as bytes")
    return pdf


def markdown_of(figures: Figures, link: str) -> str:
    """The report's tables for an artifact in the Prefect UI."""
    summary = Table(("指标", "数值"), figures.summary).markdown()
    sections = (
        f"## {section.title}\n\n"
        + (
            Table(tuple(column.title for column in section.columns), section.rows).markdown()
            if section.rows
            else "本期没有。"
        )
        for section in figures.sections
    )
    return "\n\n".join([f"# {title_of(figures)}", f"[网页和PDF]({link})", summary, *sections])


def _shown(figures: Figures) -> dict[str, Any]:
    return {
        "title": title_of(figures),
        "center": SENDER_NAME,
        "first": full_date(figures.period.first),
        "last": full_date(figures.period.last),
        "version": f"适用办法：{MEASURES_VERSION}",
        "nothing": NOTHING,
        "summary": list(figures.summary),
        "sections": [_section(section) for section in figures.sections],
        "queries": [asdict(query) for query in figures.queries],
    }


def _section(section: Section) -> dict[str, Any]:
    shares = {place: _shares(section, place) for place, column in enumerate(section.columns) if column.bar}
    return {
        "title": section.title,
        "note": section.note,
        "columns": [asdict(column) for column in section.columns],
        "rows": [
            [
                {"text": text, "query": column.query, "share": shares[place][line] if place in shares else None}
                for place, (column, text) in enumerate(zip(section.columns, row, strict=True))
            ]
            for line, row in enumerate(section.rows)
        ],
        "chart": _trend(section) if any(whole for _, _, whole in section.trend) else "",
    }


def _shares(section: Section, place: int) -> list[float]:
    """How long the bars of a column are, in percent: of 100 for rates, of the largest for numbers."""
    texts = [row[place] for row in section.rows]
    values = [float(text.removesuffix("%")) if text != "—" else 0.0 for text in texts]
    most = 100.0 if any(text.endswith("%") for text in texts) else max(values, default=0.0)
    return [round(value * 100 / most, 1) if most else 0.0 for value in values]


def _trend(section: Section) -> str:
    """The rates over the periods as an SVG drawing; where there was nothing to count the line breaks."""
    step = (WIDTH - 2 * LEFT) / max(1, len(section.trend) - 1)
    points, lines, line = [], [], []
    for place, (label, part, whole) in enumerate(section.trend):
        x = round(LEFT + place * step, 1)
        y = round(BOTTOM - HEIGHT * part / whole, 1) if whole else None
        points.append({"x": x, "y": y, "rate": percentage(part, whole), "label": label})
        if y is not None:
            line.append(f"{x},{y}")
        elif line:
            lines.append(" ".join(line))
            line = []
    lines.append(" ".join(line))
    said = "；".join(f"{label}{percentage(part, whole)}" for label, part, whole in section.trend)
    return _templates().get_template("trend.svg").render(points=points, lines=lines, label=f"趋势：{said}")
