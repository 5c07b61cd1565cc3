"""Optimality criteria: constraints met to rounding, bounds kept, the formula, exponents that adapt."""

import importlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.design.models import PLANE, DenseState, discrete
from trabecula.design import DesignChain, Simp
from trabecula.optimizers import OC, Adaptive, OCState
from trabecula.physics.compiled_core import core

KERNELS = [importlib.import_module(f"trabecula._core_{name}") for name in core.instruction_sets()]
N = 500


def model(seed=0, shape=(N,)):
    """Densities, compliance gradient over ten decades, volume gradient, bounds."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.0, 1.0, shape)
    x[rng.random(shape) < 0.1] = 0.0
    return (
        x,
        -np.exp(rng.normal(0.0, 4.0, shape)),
        rng.uniform(0.5, 1.5, shape) / x.size,
        0 * x,
        np.ones(shape),
    )


@pytest.mark.parametrize("kernels", KERNELS, ids=lambda k: k.__name__)
def test_vectorised_exp_and_log_are_good_to_1e_13(kernels: ModuleType):
    t = np.concatenate(
        [np.random.default_rng(0).uniform(-700, 700, 2000), [0.0, -0.5, 0.5, 1e-300, 700.0, -700.0]]
    )
    assert [kernels.exponential(v) for v in t] == pytest.approx(np.exp(t), rel=1e-13)
    v = np.concatenate([np.exp(t), [1.0, np.sqrt(0.5), np.sqrt(2.0), 1.0 + 1e-15]])
    assert [kernels.logarithm(u) for u in v] == pytest.approx(np.log(v), rel=1e-13, abs=2e-16)
    assert kernels.exponential(1e9) == pytest.approx(np.exp(700.0), rel=1e-13)
    assert kernels.exponential(-1e9) == pytest.approx(np.exp(-700.0), rel=1e-13)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.sampled_from([0.3, 0.5, 1.0, 12.0]),
    move=st.sampled_from([0.01, 0.2, 1.0]),
    level=st.floats(-0.9, 0.9),
    log_scale=st.floats(-200.0, 200.0),
    rising=st.booleans(),
    free=st.booleans(),
)
def test_the_volume_constraint_holds_tightly_or_as_near_as_bounds_allow(
    seed, exponent, move, level, log_scale, rising, free
):
    x, dc, dv, lower, upper = model(seed)
    dc = dc * np.exp(log_scale)
    if rising:
        dc[::7] *= -1.0
        dc[::11] = 0.0
    if free:
        dv[::5] = 0.0
    low, high = np.maximum(lower, x - move), np.minimum(upper, x + move)
    value = level * float(dv @ (high - low))
    new, _ = OC(move=move, exponent=exponent).step(OCState(), x, dc, value, dv, lower, upper)
    assert np.all((new >= low) & (new <= high))
    reached = value + float(dv @ (new - x))
    least = value + float(dv @ (low - x))
    most = value + float(dv @ (np.where(dc < 0.0, high, low) - x))
    if least > 0.0:
        assert reached == pytest.approx(least, abs=1e-12)
    elif most < 0.0:
        assert reached == pytest.approx(most, abs=1e-12)
    else:
        assert -1e-9 * float(dv @ new) <= reached <= 1e-12


def test_the_update_is_the_textbook_formula():
    x, dc, dv, lower, upper = model(1)
    oc = OC(move=0.2, exponent=0.5, floor=1e-3)
    new, state = oc.step(OCState(), x, dc, 0.0, dv, lower, upper)
    assert state.log_multiplier is not None
    lam = np.exp(state.log_multiplier)
    expected = np.maximum(x, 1e-3) * np.sqrt(-dc / dv / lam)
    expected = np.clip(expected, np.maximum(lower, x - 0.2), np.minimum(upper, x + 0.2))
    assert new == pytest.approx(expected, rel=1e-12)


def test_a_density_of_zero_can_come_back_unless_the_floor_is_zero():
    x, dc, dv, lower, upper = model(2)
    zero = x == 0.0
    grown, _ = OC(floor=1e-3).step(OCState(), x, dc, 0.0, dv, lower, upper)
    stuck, _ = OC(floor=0.0).step(OCState(), x, dc, 0.0, dv, lower, upper)
    assert np.all(grown[zero] > 0.0) and np.all(stuck[zero] < 1e-200)


def test_voxels_without_gradient_stay_and_passive_ones_keep_their_value():
    x, dc, dv, lower, upper = model(3)
    dc[:5], dv[:5] = 0.0, 0.0
    lower[5:10] = upper[5:10] = x[5:10] = 1.0
    upper[10:15] = x[10:15] = 0.0
    new, _ = OC().step(OCState(), x, dc, 0.0, dv, lower, upper)
    assert np.array_equal(new[:15], x[:15])
    held, _ = OC().step(OCState(), x, dc, 0.5, dv, x, x)
    assert np.array_equal(held, x)


def test_gain_at_no_cost_is_taken_and_loss_at_no_cost_given_up():
    x, dc, dv, lower, upper = model(4)
    x[:2], dv[:2] = 0.5, 0.0
    dc[:2] = [-1.0, 1.0]
    new, _ = OC(move=0.2).step(OCState(), x, dc, 0.0, dv, lower, upper)
    assert new[:2] == pytest.approx([0.7, 0.3])


def test_an_infeasible_start_becomes_feasible_in_a_few_steps():
    x, dc, dv, lower, upper = model(5)
    x = np.full(N, 0.9)
    oc, state = OC(), OCState()
    for _ in range(6):
        x, state = oc.step(state, x, dc, float(dv @ x) - 0.2, dv, lower, upper)
    assert float(dv @ x) == pytest.approx(0.2, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.sampled_from([0.5, 1.0, 12.0]),
    share=st.floats(0.02, 0.98),
    rising=st.booleans(),
)
def test_the_compliance_limit_holds_in_the_reciprocal_approximation(seed, exponent, share, rising):
    x, dc, dv, lower, upper = model(seed)
    x, lower = np.maximum(x, 0.01), np.full(N, 0.005)
    if rising:
        dc[::7] *= -0.01
    move = 0.2

    def approximate(new):
        return float(np.sum(np.where(dc < 0.0, dc * x * (1.0 - x / new), dc * (new - x))))

    low, high = np.maximum(lower, x - move), np.minimum(upper, x + move)
    least, most = approximate(np.where(dc < 0.0, high, low)), approximate(low)
    value = -(least + share * (most - least))
    new, _ = OC(move=move, exponent=exponent).step_least_volume(OCState(), x, dc, value, dv, lower, upper)
    scale = float(np.sum(abs(dc) * x))
    assert -1e-9 * scale <= value + approximate(new) <= 1e-12 * max(scale, most)


def test_least_volume_goes_all_the_way_where_the_limit_cannot_matter():
    x, dc, dv, lower, upper = model(6)
    oc = OC(move=0.2)
    up, _ = oc.step_least_volume(OCState(), x, dc, 1e9 * float(-dc.sum()), dv, lower, upper)
    down, _ = oc.step_least_volume(OCState(), x, dc, -1e30, dv, lower, upper)
    assert up == pytest.approx(np.minimum(upper, x + 0.2))
    assert down == pytest.approx(np.maximum(lower, x - 0.2), abs=1e-9)


def test_exponents_grow_where_steps_go_on_and_shrink_where_they_turn():
    exponent = np.array([1.0, 1.0, 1.0, 10.0, 0.4])
    out = np.empty(5)
    core.oc_adapt(
        exponent,
        np.array([1.0, 1.0, 0.0, 1.0, 1.0]),
        np.array([1.0, -1.0, 1.0, 1.0, -1.0]),
        out,
        1.5,
        0.5,
        0.3,
        12.0,
    )
    assert out == pytest.approx([1.5, 0.5, 1.0, 12.0, 0.3])


def test_exponents_adapt_from_the_second_step_on_and_can_be_held():
    x, dc, dv, lower, upper = model(7, (20, 25))
    oc = OC.adapting()
    assert oc.start() == OCState()
    first, state = oc.step(oc.start(), x, dc, 0.0, dv, lower, upper)
    assert state.exponents is None and state.last is not None
    assert np.array_equal(state.last, np.sign(first - x))
    _, held = oc.step(state, first, dc, 0.0, dv, lower, upper, adapt=False)
    assert held.exponents is None
    second, adapted = oc.step(state, first, dc, 0.0, dv, lower, upper)
    assert adapted.exponents is not None
    turn = (second - first) * (first - x)
    expected = np.where(turn > 0.0, 1.5, np.where(turn < 0.0, 0.5, 1.0))
    assert adapted.exponents == pytest.approx(expected)
    _, later = oc.step(adapted, second, dc, 0.0, dv, lower, upper, adapt=False)
    assert later.exponents is adapted.exponents


def test_classical_steps_carry_nothing_but_the_multiplier():
    x, dc, dv, lower, upper = model(8)
    _, state = OC().step(OCState(), x, dc, 0.0, dv, lower, upper)
    assert state.exponents is None and state.last is None and state.log_multiplier is not None


@pytest.mark.parametrize("oc", [OC(), OC.adapting(), OC(adaptive=Adaptive(2.0, 0.6, 0.5, 4.0))], ids=str)
def test_a_saved_state_goes_on_to_the_same_design(oc: OC):
    x, dc, dv, lower, upper = model(9, (10, 50))
    y, state = x, oc.start()
    kept = OCState.restore(state.arrays())
    for _ in range(5):
        x, state = oc.step(state, x, dc * (1.0 + x), 0.0, dv, lower, upper)
        y, kept = oc.step(OCState.restore(kept.arrays()), y, dc * (1.0 + y), 0.0, dv, lower, upper)
    assert np.array_equal(x, y)


@pytest.mark.parametrize("kernels", KERNELS, ids=lambda k: k.__name__)
@pytest.mark.parametrize("reciprocal", [False, True])
@pytest.mark.parametrize("each", [False, True])
def test_the_number_of_threads_does_not_change_a_bit(kernels: ModuleType, reciprocal, each):
    x, dc, dv, lower, upper = model(10, (20000,))
    exponent = np.random.default_rng(0).uniform(0.3, 12.0, x.size) if each else np.array([0.7])
    results = []
    for threads in (1, 2, 5):
        out = np.empty(x.size)
        found = kernels.oc_update(
            x, dc, dv, lower, upper, exponent, out, 1e-3, 0.2, -1e-3, reciprocal, 3.0, threads
        )
        results.append((out, found))
    assert all(np.array_equal(results[0][0], out) and results[0][1] == found for out, found in results[1:])


@pytest.mark.parametrize("guess", [-300.0, 0.0, 14.0, 300.0])
def test_the_search_needs_few_sweeps_from_anywhere(guess):
    x, dc, dv, lower, upper = model(11, (5000,))
    out = np.empty(x.size)
    for reciprocal, value in ((False, 0.0), (True, 0.1 * float(dc @ x))):
        _, _, sweeps = core.oc_update(
            x, dc, dv, lower, upper, np.array([0.5]), out, 1e-3, 0.2, value, reciprocal, guess, 1
        )
        assert sweeps <= 40


def test_arrays_that_do_not_fit_are_refused():
    x, dc, dv, lower, upper = model(12)
    e, out = np.array([0.5]), np.empty(N)
    rest = (1e-3, 0.2, 0.0, False, 0.0)
    with pytest.raises(ValueError, match="same size"):
        core.oc_update(x, dc[:-1], dv, lower, upper, e, out, *rest)
    with pytest.raises(ValueError, match="exponent"):
        core.oc_update(x, dc, dv, lower, upper, np.ones(2), out, *rest)
    with pytest.raises(ValueError, match="in place"):
        core.oc_update(x, dc, dv, lower, upper, e, x, *rest)
    with pytest.raises(ValueError, match="positive"):
        core.oc_update(x, dc, dv, lower, upper, e, out, *rest, threads=0)
    with pytest.raises(ValueError, match="same size"):
        core.oc_adapt(x, x[:-1], x, out, 1.5, 0.5, 0.3, 12.0)
    with pytest.raises(ValueError, match="positive"):
        core.oc_adapt(x, x, x, out, 1.5, 0.5, 0.3, 12.0, 0)


def optimise(oc: OC, steps: int) -> tuple[float, float]:
    """Compliance and volume of the block after some steps at penalty 1, whose optimum is global."""
    problem = discrete(PLANE)
    chain, state, scheme = DesignChain(problem, 1), DenseState(problem), Simp(1.0, 1e-6)
    x, kept = chain.uniform(0.4), oc.start()
    compliance = np.inf
    for _ in range(steps):
        physical = chain.physical(x)
        state.set_stiffness(scheme.value(physical))
        u, _ = state.solve(problem.loads[0])
        compliance = float(np.sum(problem.loads[0] * u))
        dc = chain.pullback(x, 1.0, -scheme.derivative(physical) * state.energy(u))
        value = chain.volume(physical) - 0.4
        x, kept = oc.step(kept, x, dc, value, chain.volume_gradient(x), problem.lower, problem.upper)
    return compliance, chain.volume(chain.physical(x))


def test_adaptive_exponents_end_at_the_convex_optimum_sooner_than_the_classical():
    classical, volume = optimise(OC(), 200)
    adapting, _ = optimise(OC.adapting(), 60)
    assert volume == pytest.approx(0.4, rel=1e-9)
    assert 0.9995 * classical < adapting < classical


def test_least_volume_under_the_compliance_of_the_stiffest_design_is_its_volume():
    problem = discrete(PLANE)
    limit, _ = optimise(OC.adapting(), 60)
    chain, state, scheme = DesignChain(problem, 1), DenseState(problem), Simp(1.0, 1e-6)
    oc, kept, x = OC.adapting(), OCState(), chain.uniform(0.7)
    for _ in range(80):
        physical = chain.physical(x)
        state.set_stiffness(scheme.value(physical))
        u, _ = state.solve(problem.loads[0])
        value = float(np.sum(problem.loads[0] * u)) - limit
        dc = chain.pullback(x, 1.0, -scheme.derivative(physical) * state.energy(u))
        x, kept = oc.step_least_volume(
            kept, x, dc, value, chain.volume_gradient(x), problem.lower, problem.upper
        )
    assert chain.volume(chain.physical(x)) == pytest.approx(0.4, rel=1e-4)
    assert value <= 1e-6 * limit
