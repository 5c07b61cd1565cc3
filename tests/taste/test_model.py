"""What is learned of choices: the mathematics, and the promises that do not depend on whose they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trabecula.taste import (
    FEATURES,
    GalleryScale,
    Pick,
    Place,
    choose_question,
    describe_taste,
    learn,
    look_at,
    say_taste,
)
from trabecula.taste.ask import pair_information, set_information
from trabecula.taste.likelihood import NumberedAnswer, log_likelihood
from trabecula.taste.model import Belief

COUNT = len(FEATURES)


def make_places(count: int, seed: int = 0) -> list[Place]:
    return [Place(row) for row in np.random.default_rng(seed).standard_normal((count, COUNT))]


def picks_of(places: list[Place], utility: NDArray[np.float64], count: int, shown: int = 2) -> list[Pick]:
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        rows = random.choice(len(places), shown, replace=False)
        found.append(Pick(tuple(places[k] for k in rows), int(np.argmax(utility[rows]))))
    return found


ANSWERS = [
    NumberedAnswer((0, 1), 0),
    NumberedAnswer((1, 2, 3), 2, 0.5),
    NumberedAnswer((3, 0, 2, 4), 1, 2.0),
    NumberedAnswer((4, 1), 1),
]


@pytest.mark.parametrize("slips", [0.0, 0.1])
def test_the_gradient_of_the_likelihood_matches_finite_differences(slips: float) -> None:
    niceties = np.array([0.3, -0.7, 0.2, 1.1, -0.4])
    _, gradient, _ = log_likelihood(niceties, ANSWERS, slips)
    for k in range(5):
        step = 1e-6 * np.eye(5)[k]
        up, down = (log_likelihood(niceties + sign * step, ANSWERS, slips)[0] for sign in (1.0, -1.0))
        assert gradient[k] == pytest.approx((up - down) / 2e-6, abs=1e-7)


def test_the_curvature_without_slips_is_the_negative_hessian() -> None:
    niceties = np.array([0.3, -0.7, 0.2, 1.1, -0.4])
    curvature = log_likelihood(niceties, ANSWERS, 0.0)[2]
    for k in range(5):
        step = 1e-6 * np.eye(5)[k]
        up, down = (log_likelihood(niceties + sign * step, ANSWERS, 0.0)[1] for sign in (1.0, -1.0))
        assert curvature[k] == pytest.approx(-(up - down) / 2e-6, abs=1e-6)


def test_a_pair_is_the_model_of_bradley_and_terry() -> None:
    value = log_likelihood(np.array([0.8, -0.3]), [NumberedAnswer((0, 1), 0)], 0.0)[0]
    assert value == pytest.approx(-np.log1p(np.exp(-1.1)))


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(10)))
def test_the_order_of_choices_does_not_matter(order: list[int]) -> None:
    places = make_places(8)
    picks = picks_of(places, np.array([place.features[0] for place in places]), 10)
    first = learn(picks).believe(places)
    other = learn([picks[k] for k in order]).believe(places)
    assert other.mean == pytest.approx(first.mean, abs=1e-6)
    assert other.covariance == pytest.approx(first.covariance, abs=1e-6)


def test_the_order_of_the_shown_designs_does_not_matter() -> None:
    places = make_places(6)
    one = learn([Pick((places[0], places[1], places[2]), 0)]).believe(places).mean
    other = learn([Pick((places[2], places[0], places[1]), 1)]).believe(places).mean
    assert other == pytest.approx(one, abs=1e-9)


def test_contradictory_choices_say_nothing_and_do_no_harm() -> None:
    places = make_places(4)
    pair = (places[0], places[1])
    belief = learn([Pick(pair, 0), Pick(pair, 1)] * 5).believe(places)
    assert belief.mean == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(belief.covariance).all()
    circle = [Pick((places[a], places[b]), 0) for a, b in ((0, 1), (1, 2), (2, 0))]
    assert learn(circle).believe(places[:3]).mean == pytest.approx(0.0, abs=0.3)


def test_the_same_answer_a_hundred_times_is_believed_and_stays_finite() -> None:
    places = make_places(3)
    belief = learn([Pick((places[0], places[1]), 0)] * 100).believe(places)
    assert belief.mean[0] > belief.mean[1] + 1.0
    assert np.isfinite(belief.mean).all() and np.isfinite(belief.covariance).all()


def test_without_choices_all_designs_are_as_nice() -> None:
    places = make_places(3)
    belief = learn([]).believe(places)
    assert not belief.mean.any() and (belief.deviation > 0.0).all()
    assert describe_taste(learn([])) == () and say_taste(()) == "nothing sure yet"


def test_choices_make_what_was_asked_surer() -> None:
    places = make_places(10)
    picks = picks_of(places, np.array([place.features[2] for place in places]), 12)
    before, after = (learn(some).believe(places) for some in ([], picks))
    rows = [places.index(place) for place in picks[0].shown]
    spread = [
        b.covariance[rows[0], rows[0]] + b.covariance[rows[1], rows[1]] - 2.0 * b.covariance[rows[0], rows[1]]
        for b in (before, after)
    ]
    assert spread[1] < spread[0]


@pytest.mark.parametrize("feature", [0, 3, 6])
def test_twenty_choices_by_one_feature_name_it_and_rank_by_it(feature: int) -> None:
    places, unseen = make_places(40), make_places(60, seed=7)
    picks = picks_of(places, -np.array([place.features[feature] for place in places]), 20, shown=4)
    taste = learn(picks)
    leaning = describe_taste(taste)[0]
    assert (leaning.name, leaning.words) == (FEATURES[feature].name, FEATURES[feature].low)
    assert leaning.sure > 0.95 and FEATURES[feature].low in say_taste((leaning,))
    niceties = taste.believe(unseen).mean
    assert np.corrcoef(niceties, [-place.features[feature] for place in unseen])[0, 1] > 0.8


def test_the_most_telling_pair_is_that_with_the_widest_open_answer() -> None:
    belief = Belief(np.zeros(3), np.diag([1e-8, 1e-8, 4.0]))
    told = pair_information(belief, [(0, 1), (0, 2)])
    assert told[0] == pytest.approx(0.0, abs=1e-6) and 0.1 < told[1] < np.log(2.0)
    decided = Belief(np.array([0.0, 30.0]), np.diag([1.0, 1.0]))
    assert pair_information(decided, [(0, 1)])[0] < 1e-6


@pytest.mark.parametrize("count", [2, 4])
def test_no_question_is_asked_twice_and_no_design_always(count: int) -> None:
    places = make_places(12)
    before: list[tuple[int, ...]] = []
    picks = []
    for _ in range(12):
        shown = choose_question(learn(picks), places, count, before)
        assert len(set(shown)) == count
        picks.append(Pick(tuple(places[k] for k in shown), 0))
        before.append(shown)
    if count == 2:
        assert len({frozenset(shown) for shown in before}) == 12
    often = max(sum(k in shown for shown in before) for k in range(12))
    assert often <= 1 + 2 * count * 12 / 12
    assert any(one != other for one, other in pairwise(before))


def test_more_designs_than_there_are_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="at most 3"):
        choose_question(learn([]), make_places(3), 4)


def beam(seed: int = 0) -> NDArray[np.bool_]:
    mask = np.zeros((20, 30), bool)
    mask[2:5] = mask[15:18] = True
    mask[:, 4 + seed : 8 + seed] = True
    for k in range(20):
        mask[k, min(29, 8 + k) : min(30, 11 + k)] = True
    return mask


@pytest.mark.parametrize("flip", [(0,), (1,), (0, 1)])
def test_mirrored_designs_look_the_same(flip: tuple[int, ...]) -> None:
    mask = beam()
    one, other = look_at(mask, (0.1, 0.1)), look_at(np.flip(mask, flip), (0.1, 0.1))
    assert np.array_equal(one.features, other.features)
    assert one.code is not None and other.code is not None and np.array_equal(one.code, other.code)


def test_features_do_not_depend_on_the_unit_of_length() -> None:
    one, other = look_at(beam(), (0.1, 0.1)), look_at(beam(), (100.0, 100.0))
    assert other.features == pytest.approx(one.features, rel=1e-9)


def test_features_say_what_their_names_promise() -> None:
    bar, thin = np.zeros((24, 40), bool), np.zeros((24, 40), bool)
    bar[8:16] = True
    thin[11:13] = True
    spacing = (1.0, 1.0)
    assert look_at(bar, spacing).value("thickness") > look_at(thin, spacing).value("thickness") + 1.0
    assert look_at(thin, spacing).value("slenderness") > look_at(bar, spacing).value("slenderness")
    frame = bar.copy()
    frame[10:14, 10:20] = False
    assert look_at(frame, spacing).value("holes") > look_at(bar, spacing).value("holes")
    slanted = np.zeros((40, 40), bool)
    for k in range(40):
        slanted[k, max(0, k - 3) : k + 4] = True
    assert look_at(slanted, spacing).value("diagonal") > 0.8
    assert look_at(bar, spacing).value("diagonal") < 0.2
    assert look_at(bar, spacing).value("symmetry") == 1.0
    assert look_at(slanted, spacing).value("symmetry") < 0.5


def test_a_design_like_all_others_is_no_outlier() -> None:
    looks = [look_at(beam(k), (0.1, 0.1)) for k in (0, 0, 0)]
    place = GalleryScale.of(looks).place(looks[0])
    assert not place.features.any()
    with pytest.raises(ValueError, match="at least one"):
        GalleryScale.of([])


def test_choices_that_are_none_are_refused() -> None:
    places = make_places(2)
    with pytest.raises(ValueError, match="at least two"):
        Pick((places[0],), 0)
    with pytest.raises(ValueError, match="below 2"):
        Pick((places[0], places[1]), 2)
    with pytest.raises(ValueError, match="above 0"):
        Pick((places[0], places[1]), 0, 0.0)


def test_two_ways_to_work_out_what_a_pair_tells_agree() -> None:
    random = np.random.default_rng(2)
    root = random.standard_normal((4, 4))
    belief = Belief(random.standard_normal(4), root @ root.T)
    pairs = [(0, 1), (0, 3), (2, 3)]
    assert set_information(belief, pairs) == pytest.approx(pair_information(belief, pairs), abs=0.05)
