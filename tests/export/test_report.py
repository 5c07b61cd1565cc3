"""The report stands alone, says everything, and trusts no text it is given."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from trabecula.drawing import picture
from trabecula.drawing.chart import convergence
from trabecula.export import report
from trabecula.export.summary import name_goal, summarise

PROBLEM = """\
trabecula: 1
name: Footbridge
domain: {size: [6.0, 1.0], elements: [240, 40], thickness: 0.05}
material: {young: 210.0e+9, poisson: 0.3, name: steel}
supports:
- {where: {x: 0, y: 0}, fix: [x, y]}
loads:
- where: {y: 1}
  force: [0, -10000]
regions:
- {where: {y: [0.95, 1.0]}, as: solid}
goal: {minimize: compliance, volume: 0.4}
options: {projection: false, symmetry: [], filter: {radius: 0.075}}
"""
RESULT = {
    "name": "Footbridge",
    "version": "0.1.0",
    "start": "coarse",
    "converged": True,
    "iterations": 30,
    "solves": 31,
    "seconds": 1.25,
    "compliance": 12.5,
    "volume": 0.4,
    "elements": [240, 40],
    "threads": 2,
    "out": None,
    "word": "certified",
    "certificate": {
        "equilibrium_residual": 1e-11,
        "kkt_residual": 3e-4,
        "lower_bound": 11.0,
        "gap": 0.136,
        "volume_violation": 0.0,
        "connected": True,
        "grey": None,
    },
    "stages": [
        {"name": "coarse", "iterations": 20, "seconds": 0.2},
        {"name": "full", "iterations": 10, "seconds": 1},
    ],
}
HISTORY = [
    {"iteration": k, "stage": "coarse" if k < 20 else "full", "compliance": 12 + 50 / (k + 1), "volume": 0.4}
    for k in range(30)
]
PNG = picture(np.ones((2, 4)), (1, 1), width=200)
NASTY = '<script>alert("1")</script>'


def page(**changes: object) -> str:
    given = {
        "result": RESULT,
        "history": HISTORY,
        "picture": PNG,
        "problem": PROBLEM,
        "machine": "test bench",
    }
    return report(**{**given, **changes})


class Balance(HTMLParser):
    """Fails on a tag that is closed without being open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_says_what_was_asked_proven_and_how_it_was_reached():
    html = page()
    for text in (
        "Footbridge",
        "minimise compliance with volume 0.4",
        "6 × 1 m, 240 × 40 elements",
        "steel",
        "force (0, -10000)",
        "1e-11",
        "13.6 %",
        "certified",
        "verified",
        "predicted",
        "12.5",
        "J compliance",
        "test bench",
        "trabecula 0.1.0",
        "data:image/png;base64,",
        "<polyline",
        "not known",
    ):
        assert text in html


def test_needs_nothing_from_outside():
    html = page()
    assert "http:" not in html and "https:" not in html
    assert not re.search(r"<(script|link|iframe|object)\b", html)
    assert not re.search(r"@import|url\(", html)
    assert all(src.startswith("data:") for src in re.findall(r'src="([^"]*)"', html))


def test_is_well_formed():
    parser = Balance()
    parser.feed(page())
    assert not parser.open


def test_every_text_is_escaped():
    result = {**RESULT, "name": NASTY, "version": NASTY, "start": NASTY, "word": NASTY, "threads": NASTY}
    result["stages"] = [{"name": NASTY, "iterations": NASTY, "seconds": NASTY}]
    result["elements"] = [NASTY]
    result["certificate"] = {**RESULT["certificate"], "gap": NASTY, "connected": NASTY}
    history = [{**row, "stage": NASTY} for row in HISTORY]
    problem = f"name: '{NASTY}'\nmaterial: '{NASTY}'\ngoal: {{minimize: '{NASTY}'}}\n"
    html = page(result=result, history=history, problem=problem, machine=NASTY)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_works_with_hardly_anything():
    html = report({}, [], PNG, "")
    assert "No history" in html and "None were kept" in html and "see the problem file" in html


def test_says_when_it_did_not_converge():
    assert "not converged" in page(result={**RESULT, "converged": False})


def test_heat_has_its_own_unit():
    assert "W K compliance" in page(unit="W K")


def test_a_bound_on_the_volume_is_not_drawn_among_compliances():
    assert 'class="bound"' in page()
    assert 'class="bound"' not in page(problem=PROBLEM.replace("minimize: compliance", "minimize: volume"))


def test_chart_is_valid_xml_with_all_its_points():
    chart = ElementTree.fromstring(convergence(HISTORY, 11.0))
    lines = {line.get("class"): line.get("points").split() for line in chart.iter("polyline")}
    assert len(lines["compliance"]) == len(lines["volume"]) == 30
    heights = [float(point.split(",")[1]) for point in lines["compliance"]]
    assert heights == sorted(heights)
    texts = [text.text for text in chart.iter("text")]
    assert {"coarse", "full", "lower bound", "compliance", "volume"} <= set(texts)


@pytest.mark.parametrize(
    "values", [[5.0, 5.0], [1.0, 1e9], [3.0, math.nan, "x", -1.0, 2.9], [1e-12, 1.1e-12], [1.0] * 1000]
)
def test_chart_bears_odd_histories(values):
    chart = convergence([{"compliance": value} for value in values], math.inf)
    assert "nan" not in chart and "inf" not in chart
    ElementTree.fromstring(chart)


def test_cases_are_listed_with_their_weights():
    text = "cases:\n- {name: wind, weight: 0.3, loads: [{force: [1, 0]}, {pressure: 2.5}]}\n- 3\n"
    assert [row for row in summarise(text) if row[0] == "Load"] == [
        ("Load", "wind (weight 0.3): force (1, 0)"),
        ("Load", "wind (weight 0.3): pressure 2.5"),
    ]


@pytest.mark.parametrize("text", ["[", "- 1", "a: &x [1]\nb: *x", "x: " + "[" * 3000, "a" * 200_000, "\x00"])
def test_unreadable_problems_are_only_shown(text):
    assert summarise(text) == [("Problem", "see the problem file below")]
    assert name_goal(text) == "compliance"


def test_odd_sections_are_left_out():
    assert summarise("goal: 3\ndomain: 3\nsupports: x\nloads: 2\nmaterial: {a: null, b: true}\n") == [
        ("Material", "b yes")
    ]
