"""Filters, interpolations and optimisers in problem files: read, kept, written; ours and those of others."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

import trabecula as tb
from tests.extending import examples
from tests.responses.quantities import Displacement
from trabecula.discretisation import discretise
from trabecula.optimizers import MovingAsymptotes, OptimalityCriteria, make_optimizer
from trabecula.problem import dump, loads, problems, to_tree
from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS, OPTIMIZERS
from trabecula.problem.restate import restate
from trabecula.problem.tables import BrokenEntryError

from .plates import PLATE

EXAMPLES = ("filter_erode", "interpolation_sinh", "optimizer_momentum")


@pytest.fixture(scope="module", autouse=True)
def parts() -> Iterator[dict[str, Any]]:
    with examples(*EXAMPLES) as modules:
        yield {
            "Erode": modules["filter_erode"].Erode,
            "Sinh": modules["interpolation_sinh"].Sinh,
            "Momentum": modules["optimizer_momentum"].Momentum,
        }


def options(**given: Any) -> tb.Options:
    return tb.parse({**PLATE, "options": given}).options


def test_ours_are_declared_in_an_order_that_stays() -> None:
    """Histories of designs and help texts count on it."""
    assert FILTERS.built_in == ("density", "sensitivity", "helmholtz", "none")
    assert INTERPOLATIONS.built_in == ("simp", "ramp", "polynomial")
    assert OPTIMIZERS.built_in == ("oc", "mma")
    for table in (FILTERS, INTERPOLATIONS, OPTIMIZERS):
        assert all(table.description(name) and table[name].name == name for name in table.built_in)


def test_keys_of_their_own_are_read_and_kept(parts: dict[str, Any]) -> None:
    found = options(
        filter={"kind": "erode", "radius": 1.5, "beta": 6},
        interpolation={"kind": "sinh", "sharpness": 2},
        optimizer={"kind": "momentum", "move": 0.05},
    )
    assert found.filter == tb.FilterOptions("erode", 1.5, parts["Erode"](1.5, 6.0))
    assert found.interpolation == parts["Sinh"](sharpness=2.0)
    assert found.optimizer == parts["Momentum"](move=0.05)
    bare = options(filter="erode", interpolation="sinh", optimizer={"kind": "momentum"})
    assert bare.filter == tb.FilterOptions(parts["Erode"]())
    assert bare.filter.radius is None
    assert bare.interpolation == parts["Sinh"]() and bare.optimizer == parts["Momentum"]()


@pytest.mark.parametrize("is_default", [True, False])
def test_what_is_written_is_read_again(parts: dict[str, Any], is_default: bool) -> None:
    erode, sinh, momentum = (
        (parts["Erode"](), parts["Sinh"](), parts["Momentum"]())
        if is_default
        else (parts["Erode"](2.0, 3.0), parts["Sinh"](sharpness=0.5), parts["Momentum"](0.9, 0.3))
    )
    problem = restate(problems.mbb((30, 10)), filter=erode, interpolation=sinh, optimizer=momentum)
    assert loads(dump(problem)) == problem
    assert tb.parse(to_tree(problem)) == problem
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_ours_are_written_as_ever() -> None:
    problem = problems.mbb((30, 10))
    tree = to_tree(problem)["options"]
    assert tree["filter"] == {"kind": "density", "radius": problem.options.filter.radius}
    assert tree["interpolation"] is None and tree["optimizer"] is None
    assert options(interpolation={"kind": "ramp"}, optimizer={"kind": "mma"}) == options(
        interpolation="ramp", optimizer="mma"
    )


def test_a_radius_is_one_and_the_same_in_the_options_and_in_the_keys(parts: dict[str, Any]) -> None:
    chosen = tb.FilterOptions(parts["Erode"](0.5))
    assert (chosen.kind, chosen.radius) == ("erode", 0.5)
    wider = replace(chosen, radius=0.75)
    assert (wider.radius, wider.keys.radius, wider.keys.beta) == (0.75, 0.75, 4.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"filter": {"kind": "erode", "beta": 0}},
            "options.filter.beta: got 0; needs steepness",
        ),
        (
            {"filter": {"kind": "erode", "alpha": 1}},
            "options.filter.alpha: unknown key; known here: kind, radius, beta",
        ),
        (
            {"filter": {"kind": "density", "beta": 1}},
            "options.filter.beta: unknown key; known here: kind, radius",
        ),
        (
            {"filter": {"kind": "erodes"}},
            "options.filter.kind: got 'erodes'; needs one of density",
        ),
        (
            {"filter": {"kind": 3}},
            "options.filter.kind: got 3; needs one of density",
        ),
        (
            {"interpolation": {"sharpness": 1}},
            "options.interpolation.kind: missing; options.interpolation needs kind",
        ),
        (
            {"interpolation": {"kind": "sinh", "penalty": 3}},
            "options.interpolation.penalty: unknown key; known here: kind, s",
        ),
        (
            {"interpolation": 3},
            "options.interpolation: got 3; needs one of simp, ramp, polynomial, sinh",
        ),
        (
            {"optimizer": {"kind": "momentum", "move": 2}},
            "options.optimizer.move: got 2; needs largest change",
        ),
        (
            {"optimizer": {"kind": "oc", "move": 0.1}},
            "options.optimizer.move: unknown key; known here: kind",
        ),
        (
            {"optimizer": ["oc"]},
            "options.optimizer: got ['oc']; needs one of oc, mma, momentum",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(tb.ProblemError) as caught:
        options(**given)
    assert str(caught.value).startswith(said)


def test_a_key_that_a_part_needs_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Power:
        exponent: float = tb.key(description="exponent of the mean")
        name: ClassVar[str] = "power"

    monkeypatch.setitem(globals(), "Power", Power)
    monkeypatch.setattr(FILTERS, "_rows", dict(FILTERS._rows))
    FILTERS.register("power", Power)
    for given in ("power", {"kind": "power"}):
        with pytest.raises(
            tb.ProblemError, match=r"^options\.filter\.exponent: missing; needs exponent of the mean$"
        ):
            options(filter=given)


def test_an_object_that_no_file_can_name_is_solved_all_the_same() -> None:
    @dataclass(frozen=True)
    class Square(tb.Filter):
        """The square of every density, for all grids the same."""

        name: ClassVar[str] = "square"

        def make(self, discrete: Any, machine: tb.Machine) -> tb.Filter:
            return self

        def forward(self, density: Any) -> Any:
            return density**2

        def adjoint(self, density: Any, gradient: Any) -> Any:
            return 2.0 * density * gradient

    plain = problems.mbb((24, 8))
    grey = replace(plain, options=replace(plain.options, projection=False))
    problem = restate(grey, filter=Square())
    result = tb.solve(problem, start="uniform", iterations=20, threads=1)
    assert result.problem.options.filter.keys == Square()
    assert float(abs(result.density - result.design**2)[result.density < 1].max()) < 1e-6
    with pytest.raises(tb.ProblemError, match="got 'square'; needs one of density"):
        loads(dump(problem))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filter": type("Bare", (), {"name": "bare"})()}, "the filter 'bare' is a Bare without make"),
        (
            {"optimizer": type("Bare", (), {"name": "bare"})()},
            "the optimizer 'bare' is a Bare; it needs the methods",
        ),
        ({"interpolation": type("Bare", (), {"name": "bare"})()}, "is a Bare; it needs the attributes"),
    ],
)
def test_what_obeys_no_protocol_is_refused_by_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BrokenEntryError, match=said):
        tb.solve(problems.mbb((24, 8)), start="uniform", iterations=1, **given)


def test_what_makes_no_filter_is_refused() -> None:
    class Nothing:
        name = "nothing"

        def make(self, discrete: Any, machine: Any) -> None:
            return None

    with pytest.raises(BrokenEntryError, match=r"make of the filter 'nothing' returns a NoneType; it needs"):
        tb.solve(problems.mbb((24, 8)), filter=Nothing(), start="uniform")  # type: ignore[arg-type]


def test_a_class_in_place_of_an_object_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"neither the name of a filter nor a trabecula\.FilterKind"):
        tb.FilterOptions(parts["Erode"])
    with pytest.raises(BrokenEntryError, match="it needs the attributes of trabecula"):
        tb.solve(problems.mbb((24, 8)), interpolation=parts["Sinh"], start="uniform", iterations=1)


# optimality criteria only where they apply

TIP = Displacement(tb.where.Plane("x", 6.0), axis=1)


@pytest.mark.parametrize(
    "goal",
    [
        tb.Goal(TIP, volume=0.4),
        tb.Goal("compliance", volume=0.4, limits=(tb.Limit(TIP, 3.0),)),
        tb.Goal("compliance", volume=0.4, maximize=True),
    ],
    ids=["displacement", "two limits", "maximise"],
)
def test_optimality_criteria_are_refused_where_none_decides(goal: tb.Goal, tmp_path: Any) -> None:
    problem = replace(tb.parse({**PLATE, "options": {"optimizer": "oc"}}), goal=goal)
    with pytest.raises(tb.ProblemError) as caught:
        tb.solve(problem, out=tmp_path / "out", start="uniform")
    assert str(caught.value) == (
        "options.optimizer: got 'oc'; needs a compliance under one limit on the volume, or the volume under "
        "one on a compliance; leave it out, or write `optimizer: mma`"
    )
    assert not (tmp_path / "out").exists()
    free = restate(problem, optimizer="mma")
    assert isinstance(make_optimizer(discretise(free)), MovingAsymptotes)


@pytest.mark.parametrize("goal", [tb.Goal(volume=0.4), tb.Goal("volume", compliance=(500.0,))])
def test_optimality_criteria_are_taken_where_they_apply(goal: tb.Goal) -> None:
    for named in (None, "oc"):
        problem = restate(tb.parse(PLATE), goal=goal, optimizer=named)
        assert isinstance(make_optimizer(discretise(problem)), OptimalityCriteria)


def test_a_file_that_asks_for_them_under_a_limit_per_case_is_still_solved_by_mma() -> None:
    plate = tb.parse(PLATE)
    cases = (replace(plate.cases[0], name="one"), replace(plate.cases[0], name="two"))
    goal = tb.Goal("volume", compliance=(500.0, 400.0))
    problem = restate(replace(plate, cases=cases), goal=goal, optimizer="oc")
    assert isinstance(make_optimizer(discretise(problem)), MovingAsymptotes)


# what is asked in place of what the problem says


def test_a_problem_that_nothing_is_asked_of_is_itself() -> None:
    problem = problems.mbb((30, 10))
    assert restate(problem) is problem


def test_a_goal_takes_the_place_of_the_goal_and_keeps_the_limits() -> None:
    problem = tb.parse(PLATE)
    assert restate(problem, goal=TIP).goal == tb.Goal(TIP, volume=0.4)
    whole = tb.Goal(TIP, volume=0.3, maximize=True)
    assert restate(problem, goal=whole).goal is whole
    least = replace(problem, goal=tb.Goal("volume", compliance=(9.0,)))
    assert restate(least, goal="volume").goal == least.goal
    turned = restate(least, goal=TIP, limits=None).goal
    assert turned == tb.Goal(TIP, limits=(tb.Limit("compliance", 9.0),))


def test_limits_take_the_place_of_all_limits() -> None:
    problem = tb.parse({**PLATE, "limits": [{"compliance": 900}]})
    assert restate(problem, limits=[tb.Limit("volume", 0.3)]).goal == tb.Goal(volume=0.3)
    tip = tb.Limit(TIP, 3.0)
    assert restate(problem, limits=[tip, tb.Limit("volume", 0.3)]).goal == tb.Goal(volume=0.3, limits=(tip,))
    volume = restate(problem, goal="volume", limits=[tb.Limit("compliance", 300.0)])
    assert volume.goal == tb.Goal("volume", compliance=(300.0,))
    with pytest.raises(TypeError, match=r"limits holds \('volume', 0\.3\); it needs trabecula\.Limit"):
        restate(problem, limits=[("volume", 0.3)])  # type: ignore[list-item]


def test_limits_of_every_load_case_cannot_stay_under_another_goal() -> None:
    problem = replace(problems.wheel((20, 20)), goal=tb.Goal("volume", compliance=(1.0, 2.0, 3.0)))
    with pytest.raises(tb.ProblemError, match="limits every load case by itself"):
        restate(problem, goal="compliance")


def test_a_filter_by_name_keeps_the_radius_where_it_has_one() -> None:
    problem = problems.mbb((30, 10))
    radius = problem.options.filter.radius
    assert restate(problem, filter="helmholtz").options.filter == tb.FilterOptions("helmholtz", radius)
    assert restate(problem, filter="erode").options.filter == tb.FilterOptions("erode", radius)
    assert restate(problem, filter=tb.FilterOptions("none")).options.filter == tb.FilterOptions("none")


def test_the_result_says_what_was_solved(parts: dict[str, Any]) -> None:
    problem = tb.parse(PLATE)
    asked: dict[str, Any] = {
        "goal": TIP,
        "limits": [tb.Limit("volume", 0.45)],
        "filter": parts["Erode"](1.0),
        "optimizer": "mma",
        "interpolation": "ramp",
    }
    result = tb.solve(problem, **asked, start="uniform", iterations=5, threads=1)
    said = result.problem
    assert said.goal == tb.Goal(TIP, volume=0.45)
    assert said.options.filter.keys == parts["Erode"](1.0)
    assert (said.options.optimizer, said.options.interpolation) == ("mma", "ramp")
    with tb.iterate(problem, **asked, start="uniform", iterations=5, threads=1) as steps:
        for _ in steps:
            pass
    assert (steps.result.design == result.design).all()
    assert steps.result.problem == said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"filter": "densty"}, "options.filter.kind: got 'densty'; needs one of density"),
        ({"goal": "compliences"}, "goal.minimize: got 'compliences'; needs one of compliance"),
        ({"optimizer": "adam"}, "options.optimizer: got 'adam'; needs one of oc, mma"),
        ({"limits": []}, "goal.volume: missing; minimising compliance needs a limit"),
        ({"limits": [tb.Limit("volume", 1.5)]}, "limits: volume is limited by 1.5; needs at most 1"),
    ],
)
def test_what_is_asked_wrongly_is_refused_as_in_a_file(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(tb.ProblemError) as caught:
        tb.solve(tb.parse(PLATE), **asked)
    assert str(caught.value).startswith(said)
