#!/usr/bin/env python3
"""Draws the panels of the dashboard as one SVG, with data from a Prometheus server: the picture in docs/operations.md.

    envoy/grafana/picture.py http://127.0.0.1:9090 5m > docs/dashboard.svg

The queries come from dashboard.json. Grafana is not needed. The second argument is the time range.
"""

import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request
from html import escape
from pathlib import Path

COLUMN, ROW = 50, 30  # pixels of one unit of Grafana's grid, which has 24 columns
COLOURS = ["#5794f2", "#ff9830", "#73bf69", "#f2495c", "#b877d9", "#fade2a", "#8ab8ff", "#ff7383", "#96d98d", "#c4a2e0"]
STYLE = """
text { font: 12px sans-serif; fill: #ccccdc } .title { font-weight: 500 } .row { font-size: 15px; font-weight: 600 }
.number { font-size: 30px; text-anchor: middle } .green { fill: #73bf69 } .yellow { fill: #fade2a } .red { fill: #f2495c } .axis { font-size: 10px; fill: #8e8e99; text-anchor: end }
.legend { font-size: 9.5px } .panel { fill: #181b1f; stroke: #2c2f34 } .grid { stroke: #2c2f34 }
polyline { fill: none; stroke-width: 1.5 }
"""


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def ask(prometheus, path, **parameters):
    url = f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)["data"]["result"]


def filled_in(expression, back):
    """Replaces Grafana's variables. Its rate interval is at least four scrapes."""
    window = max(back // 20, 8)
    values = {"__rate_interval": f"{window}s", "__range": f"{back}s", "preset": ".*"}
    return re.sub(r"\$(\w+)", lambda name: values[name[1]], expression)


def legend(template, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), template)


def shown(number, unit):
    if unit == "percentunit":
        return f"{number * 100:.1f}%"
    if unit == "ms" and number >= 1000:
        return f"{number / 1000:.3g} s"
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= power:
            return f"{number / power:.3g}{letter}"
    return f"{number:.3g}" + {"ms": " ms", "reqps": "/s", "cps": "/s", "bytes": " B"}.get(unit, "")


def lines(prometheus, panel, back):
    """Name and points of each series of a panel."""
    end = time.time()
    step = max(back / 150, 1)
    for target in panel["targets"]:
        query = filled_in(target["expr"], back)
        for series in ask(prometheus, "query_range", query=query, start=end - back, end=end, step=step):
            points = [(when - end + back, float(value)) for when, value in series["values"]]
            points = [(when, value) for when, value in points if math.isfinite(value)]
            if points:
                yield legend(target["legendFormat"], series["metric"]), points


def draw_stat(prometheus, panel, back, width, height):
    result = ask(prometheus, "query", query=filled_in(panel["targets"][0]["expr"], back))
    if not result:
        return f'<text class="legend" x="{width / 2 - 20}" y="{height / 2}">No data</text>'
    value, defaults = float(result[0]["value"][1]), panel["fieldConfig"]["defaults"]
    steps = defaults.get("thresholds", {"steps": []})["steps"]
    colours = ["green"] + [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return f'<text class="number {colours[-1]}" x="{width / 2}" y="{height / 2 + 20}">{shown(value, defaults["unit"])}</text>'


def draw_lines(prometheus, panel, back, width, height):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    series = list(lines(prometheus, panel, back))
    left, top, right, bottom = 54, 34, width - 12, height - 34
    highest = max([value for _, points in series for _, value in points], default=0) or 1
    parts = []
    for share in (0, 0.5, 1):
        y = bottom - share * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" y1="{y:.0f}" x2="{right}" y2="{y:.0f}"/>')
        parts.append(f'<text class="axis" x="{left - 6}" y="{y + 4:.0f}">{shown(share * highest, unit)}</text>')
    x = 10
    for number, (name, points) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        place = lambda when, value: f"{left + when / back * (right - left):.1f},{bottom - value / highest * (bottom - top):.1f}"
        path = " ".join(place(when, value) for when, value in points)
        parts.append(f'<polyline stroke="{colour}" points="{path}"/>')
        parts.append(f'<text class="legend" x="{x}" y="{height - 10}" style="fill:{colour}">{escape(name)}</text>')
        x += 5.6 * len(name) + 10
    if not series:
        parts.append(f'<text class="legend" x="{width / 2 - 20}" y="{height / 2}">No data</text>')
    return "".join(parts)


def draw(prometheus, panel, back):
    grid = panel["gridPos"]
    x, y, width, height = grid["x"] * COLUMN, grid["y"] * ROW, grid["w"] * COLUMN - 8, grid["h"] * ROW - 8
    if panel["type"] == "row":
        return f'<text class="row" x="{x + 4}" y="{y + 20}">{escape(panel["title"])}</text>'
    inside = (draw_stat if panel["type"] == "stat" else draw_lines)(prometheus, panel, back, width, height)
    return (
        f'<g transform="translate({x + 4},{y})"><rect class="panel" width="{width}" height="{height}" rx="3"/>'
        f'<text class="title" x="10" y="20">{escape(panel["title"])}</text>{inside}</g>'
    )


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    prometheus, back = sys.argv[1].rstrip("/"), seconds(sys.argv[2])
    panels = json.loads((Path(__file__).parent / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    width, height = 24 * COLUMN, max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * ROW
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">')
    print(f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="#111217"/>')
    for panel in panels:
        print(draw(prometheus, panel, back))
    print("</svg>")


if __name__ == "__main__":
    main()
