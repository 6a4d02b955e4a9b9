"""Write docs/performance.md and its chart from what ``bench/results`` holds: ``python -m bench.performance``."""

import json
import math
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from bench.figures import RESULTS

DOCS = Path(__file__).parents[1] / "docs"
CHART = "images/performance.svg"
WIDTH, HEIGHT, LEFT, TOP, LEGEND = 960, 520, 70, 20, 330
COLOURS = ("#0b6e99", "#b3541e", "#2e7d32", "#7b1fa2", "#b71c1c", "#455a64", "#827717", "#00838f", "#5d4037", "#c2185b")
HEAD = """# Performance

Measured by `make bench`, which writes this page; every figure is the median of its rounds, with the least and the most
of them. What counts are the ratios: both sides of each were measured in one run on one machine.
"""


def number(value: float) -> str:
    """Three digits of a value, however large or small."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def measured(figure: dict[str, Any]) -> str:
    """A figure's median with its least and most, and its unit."""
    median, least, most = map(number, (figure["median"], min(figure["values"]), max(figure["values"])))
    return f"{median} ({least} to {most}) {figure['unit']}"


def section(file: dict[str, Any]) -> list[str]:
    """A bench's figures as a table, with the machine and day they come from."""
    machine = file["machine"]
    where = f"{machine['processors']} processors, {machine['system']}, Python {machine['python']}"
    lines = [
        f"## {file['bench'].replace('_', ' ').capitalize()}",
        "",
        f"{file['measured_at'][:10]}, {where}.",
        "",
        "| what | size | median (least to most) | rounds | ratio | |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    for each in file["figures"]:
        spread = f"failed: {each['failed']}" if each.get("failed") else measured(each)
        ratio = f"{each['ratio']:.3g} of {each['ratio_to']}" if each["ratio"] is not None else ""
        size, rounds = f"{each['size']:,} {each['of']}", str(len(each["values"]))
        cells = (each["name"], size, spread, rounds, ratio, each["note"])
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    lines += ["", *(f"Not measured: {why}." for why in file["skipped"]), ""]
    return lines


def growing(files: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Seconds by size of every two figures that are held against each other, at three sizes or more."""
    series: dict[str, list[tuple[float, float]]] = {}
    for file in files:
        bases = {each["ratio_to"] for each in file["figures"]}
        for each in file["figures"]:
            compared = each["ratio_to"] or each["name"] in bases
            if compared and each["unit"] == "s" and each["median"]:
                name = f"{file['bench'].replace('_', ' ')}: {each['name']}"
                series.setdefault(name, []).append((each["size"], each["median"]))
    return {name: sorted(points) for name, points in series.items() if len(points) > 2}


def chart(series: dict[str, list[tuple[float, float]]]) -> str:
    """Seconds over size, both logarithmic, as SVG: what grows with its size runs parallel to the dotted line."""
    sizes = [math.log10(size) for points in series.values() for size, _ in points]
    times = [math.log10(seconds) for points in series.values() for _, seconds in points]
    x0, x1, y0, y1 = math.floor(min(sizes)), math.ceil(max(sizes)), math.floor(min(times)), math.ceil(max(times))
    right, bottom = WIDTH - LEGEND, HEIGHT - 50

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - x0) / (x1 - x0) * (right - LEFT), bottom - (y - y0) / (y1 - y0) * (bottom - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle">size</text>',
        f'<text x="14" y="{TOP + 10}">s</text>',
    ]
    for power in range(x0, x1 + 1):
        x, _ = place(power, y0)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y0, y1 + 1):
        _, y = place(x0, power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    rise = min(x1 - x0, y1 - y0)
    (xa, ya), (xb, yb) = place(x0, y0), place(x0 + rise, y0 + rise)
    parts.append(f'<path d="M{xa:.1f} {ya:.1f}L{xb:.1f} {yb:.1f}" stroke="#888" stroke-dasharray="2 4"/>')
    for order, (name, points) in enumerate(series.items()):
        colour, dash = COLOURS[order % len(COLOURS)], ' stroke-dasharray="6 3"' if order >= len(COLOURS) else ""
        line = " ".join("{:.1f},{:.1f}".format(*place(math.log10(x), math.log10(y))) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        y = TOP + 10 + 20 * order
        parts.append(f'<path d="M{right + 14} {y}h22" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{right + 42}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def write(results: Path, docs: Path) -> None:
    """Write the page, and the chart where something was measured at three sizes. ``SystemExit`` without results."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    if not files:
        raise SystemExit("bench/results中没有结果，请先运行make bench。")
    page = [HEAD]
    if series := growing(files):
        (docs / CHART).parent.mkdir(parents=True, exist_ok=True)
        (docs / CHART).write_text(chart(series), encoding="utf-8")
        page.append(f"![Seconds over size, both logarithmic; the dotted line grows with its size]({CHART})\n")
    page += [line for file in files for line in section(file)]
    (docs / "performance.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    write(RESULTS, DOCS)
