"""Problems built in Python say what is wrong with them as files do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trabecula.problem import (
    Load,
    LoadCase,
    Problem,
    ProblemError,
    dump,
    loads,
    parse,
)
from trabecula.problem.where import Plane

from .plates import PLATE

PUSH = (Load(Plane("x", 6.0), force=(0.0, -1.0)),)


def cases(*given: LoadCase) -> Problem:
    return replace(parse(PLATE), cases=given)


def test_load_cases_without_names_are_counted_and_read_back() -> None:
    problem = cases(LoadCase(PUSH), LoadCase(PUSH, "wind"), LoadCase(PUSH, weight=2.0))
    assert [case.name for case in problem.cases] == ["case 1", "wind", "case 3"]
    assert loads(dump(problem)) == problem


def test_one_load_case_without_a_name_stays_as_it_is() -> None:
    assert [case.name for case in cases(LoadCase(PUSH)).cases] == ["load"]


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"cases\[2\]\.name: 'wind' is given twice"):
        cases(LoadCase(PUSH, "wind"), LoadCase(PUSH), LoadCase(PUSH, "wind"))
