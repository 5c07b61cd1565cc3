"""The chain from densities to physical densities and its transpose."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.design.models import PLANE, SOLID, directional, discrete, random_density
from trabecula.design import DesignChain
from trabecula.problem.model import FilterOptions, Options

KINDS = ["density", "helmholtz", "sensitivity", "none"]


def chain(kind="density", elements=PLANE, passive=True, **options) -> DesignChain:
    return DesignChain(
        discrete(elements, passive=passive, options=Options(filter=FilterOptions(kind, 1.7), **options)), 2
    )


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    elements=st.sampled_from([PLANE, SOLID]),
    passive=st.booleans(),
    projection=st.booleans(),
    symmetry=st.sets(st.sampled_from(["x", "y"])),
    seed=st.integers(0, 2**32 - 1),
)
def test_pullback_matches_finite_differences(kind, elements, passive, projection, symmetry, seed):
    c = chain(kind, elements, passive, projection=projection, symmetry=tuple(symmetry))
    x = random_density(c.discrete, seed)
    rng = np.random.default_rng(seed)
    gradient = rng.normal(size=x.shape)
    direction = rng.normal(size=x.shape) * (c.discrete.upper > c.discrete.lower)
    expected = directional(lambda v: np.sum(gradient * c.physical(v, 4.0)), x, direction)
    # With asymmetric passive parts a mirrored voxel may be passive: its share is left out of the gradient.
    back = c.pullback(x, 4.0, gradient)
    assert np.sum(back * direction) == pytest.approx(expected, abs=1e-6)


def overshooting(elements=PLANE, **options) -> DesignChain:
    problem = discrete(elements, passive=True, options=Options(**options))
    radius = 0.8 * min(problem.grid.spacing)
    return DesignChain(
        discrete(
            elements, passive=True, options=Options(filter=FilterOptions("helmholtz", radius), **options)
        )
    )


@settings(max_examples=60, deadline=None)
@given(elements=st.sampled_from([PLANE, SOLID]), projection=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_where_a_filter_overshoots_densities_are_clipped_and_differentiated(elements, projection, seed):
    c = overshooting(elements, projection=projection)
    rng = np.random.default_rng(seed)
    free = c.discrete.upper > c.discrete.lower
    black_and_white = rng.choice([0.02, 0.98], c.discrete.grid.shape)
    x = np.where(free, black_and_white, c.discrete.lower)
    filtered = c.filter.forward(x)
    assert c.clips and not c.is_linear
    assume(filtered[free].min() < 0.0 or filtered[free].max() > 1.0)
    physical = c.physical(x, 4.0)
    assert physical.min() >= 0.0 and physical.max() <= 1.0
    gradient = rng.normal(size=x.shape)
    direction = rng.normal(size=x.shape) * free
    step = 1e-7
    ends = [c.physical(x + sign * step * direction, 4.0) for sign in (1.0, -1.0)]
    same_side = [
        np.sign(c.filter.forward(x + sign * step * direction) - edge)
        for edge in (0.0, 1.0)
        for sign in (1, -1)
    ]
    crosses = (same_side[0] != same_side[1]) | (same_side[2] != same_side[3])
    gradient[crosses] = 0.0  # at the kink itself there is no derivative
    expected = np.sum(gradient * (ends[0] - ends[1])) / (2.0 * step)
    assert np.sum(c.pullback(x, 4.0, gradient) * direction) == pytest.approx(expected, abs=1e-5)


def test_the_volume_is_kept_with_clipped_densities():
    c = overshooting()
    x = np.where(c.discrete.upper > c.discrete.lower, np.arange(35).reshape(5, 7) % 2.0, c.discrete.lower)
    has = c.volume(c.physical(x))
    lowered = c.within(x, 0.9 * has)
    assert 0.9 * has * (1 - 1e-9) <= c.volume(c.physical(lowered)) <= 0.9 * has


@pytest.mark.parametrize("kind", ["density", "sensitivity", "none"])
def test_a_filter_that_averages_is_not_clipped(kind):
    assert chain(kind).is_linear


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("projection", [False, True])
def test_volume_gradient_matches_finite_differences(kind, projection):
    c = chain(kind, projection=projection)
    x = random_density(c.discrete)
    direction = np.random.default_rng(1).normal(size=x.shape) * (c.discrete.upper > c.discrete.lower)
    expected = directional(lambda v: c.volume(c.physical(v, 3.0)), x, direction)
    assert np.sum(c.volume_gradient(x, 3.0) * direction) == pytest.approx(expected, abs=1e-9)
    assert np.array_equal(c.volume_gradient(x, 3.0), c.volume_gradient(x, 3.0))


@pytest.mark.parametrize("kind", KINDS)
def test_passive_voxels_are_exactly_their_value_and_have_no_gradient(kind):
    c = chain(kind, projection=True)
    x = random_density(c.discrete)
    passive = c.discrete.lower == c.discrete.upper
    assert np.array_equal(c.physical(x, 2.0)[passive], c.discrete.lower[passive])
    assert np.all(c.pullback(x, 2.0, np.ones(x.shape))[passive] == 0.0)
    assert np.all(c.volume_gradient(x, 2.0)[passive] == 0.0)
    assert np.all(c.sensitivity(x, np.ones(x.shape))[passive] == 0.0) or kind != "sensitivity"


def test_volume_counts_passive_solid_and_leaves_out_passive_void():
    c = chain()
    physical = c.discrete.lower.copy()
    assert c.volume(physical) == pytest.approx(2 / (35 - 4))
    assert c.volume(c.physical(c.discrete.upper)) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("projection", [False, True])
def test_uniform_densities_have_the_volume_asked_for(kind, projection):
    c = chain(kind, projection=projection)
    x = c.uniform(0.4, 4.0)
    free = c.discrete.upper > c.discrete.lower
    assert c.volume(c.physical(x, 4.0)) == pytest.approx(0.4, abs=1e-10)
    assert np.ptp(x[free]) == 0.0
    assert np.all((x >= c.discrete.lower) & (x <= c.discrete.upper))


def test_uniform_densities_go_as_near_as_bounds_allow():
    c = chain()
    assert np.array_equal(c.uniform(0.01), c.discrete.lower)
    assert np.array_equal(c.uniform(2.0), c.discrete.upper)
    assert np.all(chain(passive=False).uniform(0.3) == 0.3)


def test_symmetry_makes_designs_and_gradients_their_own_mirror_images():
    c = chain(elements=SOLID, passive=False, symmetry=("y", "z"), projection=True)
    x = random_density(c.discrete)
    physical = c.physical(x, 2.0)
    gradient = c.pullback(x, 2.0, np.random.default_rng(0).normal(size=x.shape))
    for values in (physical, gradient):
        assert values == pytest.approx(values[::-1], abs=1e-15)
        assert values == pytest.approx(values[:, ::-1], abs=1e-15)
        assert np.abs(values - values[..., ::-1]).max() > 1e-3
    assert np.array_equal(c.symmetrise(physical), physical) or c.symmetrise(physical) == pytest.approx(
        physical
    )


def test_results_are_new_arrays_and_arguments_are_left_alone():
    c = chain("none", passive=False)
    x = random_density(c.discrete)
    kept = x.copy()
    physical = c.physical(x)
    physical[:] = -1.0
    gradient = np.ones(x.shape)
    c.pullback(x, 1.0, gradient)[:] = 5.0
    assert np.array_equal(x, kept) and np.all(gradient == 1.0)
    with pytest.raises(ValueError, match="read-only"):
        c.volume_gradient(x)[:] = 1.0


def test_the_number_of_threads_does_not_change_a_bit_and_has_a_default():
    problem = discrete(SOLID, options=Options(filter=FilterOptions("density", 1.7)))
    x = random_density(problem)
    one, many = DesignChain(problem, 1), DesignChain(problem)
    assert many.machine.threads >= 1
    assert np.array_equal(one.physical(x), many.physical(x))


@pytest.mark.parametrize("projection", [False, True])
def test_within_lowers_evenly_to_the_volume_and_no_further(projection):
    c = chain(projection=projection, passive=True)
    x = random_density(c.discrete, 1)
    has = c.volume(c.physical(x, 8.0))
    assert c.within(x, has + 0.01, 8.0) is x
    lowered = c.within(x, 0.8 * has, 8.0)
    assert c.volume(c.physical(lowered, 8.0)) == pytest.approx(0.8 * has, rel=1e-9)
    assert c.volume(c.physical(lowered, 8.0)) <= 0.8 * has
    inside = (lowered > c.discrete.lower) & (x < c.discrete.upper)
    assert np.ptp((x - lowered)[inside]) < 1e-12
    np.testing.assert_array_equal(c.within(x, 1e-9, 8.0), c.discrete.lower)
