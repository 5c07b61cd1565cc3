"""Energy: the published costs, one layer by hand, and the paradox of AlexNet and SqueezeNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from tests.nn.profile.shapes import ALEXNET, SQUEEZENET, convolution, linear
from trabecula.nn import nets
from trabecula.nn.profile import (
    Arithmetic,
    Energy,
    EnergyModel,
    Hierarchy,
    Layer,
    Memories,
    layers_of,
    traffic,
)

# Yang, Chen and Sze 2017: 16-bit integers; a batch shares one fetch of the weights.
ACCELERATOR = EnergyModel(weight_bits=16, activation_bits=16, floating=False, batch=48)


def total(layers: Sequence[Layer], model: EnergyModel) -> Energy:
    return sum((model.of(layer) for layer in layers), Energy())


@pytest.mark.parametrize(
    ("bits", "floating", "multiply", "add"),
    [(32, True, 3.7, 0.9), (16, True, 1.1, 0.4), (8, False, 0.2, 0.03), (32, False, 3.1, 0.1)],
)
def test_arithmetic_costs_what_horowitz_lists(bits: int, floating: bool, multiply: float, add: float) -> None:
    costs = Arithmetic()
    assert costs.multiply(bits, floating) == pytest.approx(multiply)
    assert costs.add(bits, floating) == pytest.approx(add)
    assert costs.mac(bits, floating) == pytest.approx(multiply + add)


def test_sixteen_bit_integers_lie_between_eight_and_thirty_two() -> None:
    assert 0.23 < Arithmetic().mac(16, floating=False) < 3.2


def test_memories_cost_what_horowitz_lists_and_dram_some_hundred_macs() -> None:
    memories = Memories()
    assert [memories.sram(size) for size in (8192, 32768, 2**20)] == pytest.approx([10, 20, 100])
    assert memories.sram(2**18) == pytest.approx(53, rel=0.1)
    tree = memories.hierarchy()
    assert tree.dram * Arithmetic().mac(16, floating=False) == pytest.approx(1950 / 4)
    assert 100 < tree.dram < 1000
    assert tree.register == Hierarchy().register


def test_energy_of_a_small_layer_by_hand() -> None:
    """Everything fits everywhere: each word crosses each boundary once."""
    layer = linear("", 3, 2)
    words = 3 + 6 + 2
    model = EnergyModel(
        arithmetic=Arithmetic(int32_multiply=0.2, int32_add=0.03),
        hierarchy=Hierarchy(register_bytes=1e6, elements=1),
        weight_bits=16,
        activation_bits=16,
        floating=False,
    )
    unit = 0.23
    found = model.of(layer)
    assert found.arithmetic == pytest.approx(6 * unit)
    assert found.register == pytest.approx(4 * 6 * unit)
    assert found.network == pytest.approx(2 * words * unit)
    assert found.buffer == pytest.approx(6 * words * unit)
    assert found.dram == pytest.approx(200 * words * unit)
    assert found.total == pytest.approx(sum(vars(found).values()))


def test_a_batch_shares_the_weights_and_nothing_else() -> None:
    layer = linear("", 1000, 1000)
    alone, shared = EnergyModel(), EnergyModel(batch=100)
    assert shared.of(layer).arithmetic == pytest.approx(alone.of(layer).arithmetic)
    assert shared.of(layer).dram < 0.05 * alone.of(layer).dram
    product = Layer("", "matmul", ((1000, 1000), (1000, 1)), ((1000, 1),), nests=layer.nests)
    assert shared.of(product).dram == pytest.approx(alone.of(product).dram)


def test_fewer_bits_cost_less() -> None:
    layer = convolution("", 16, 16, 3, 1, 16)
    wide, half, narrow = (
        EnergyModel(weight_bits=bits, activation_bits=bits).of(layer).total for bits in (32, 16, 8)
    )
    assert wide > half > narrow
    assert EnergyModel().of(layer).total == wide


def test_skipped_zeros_cost_nothing() -> None:
    layer = convolution("", 16, 16, 3, 1, 16)
    dense = EnergyModel()
    sparse = EnergyModel(weight_density=0.5, activation_density=0.5)
    assert sparse.of(layer).arithmetic == pytest.approx(0.25 * dense.of(layer).arithmetic)
    assert sparse.of(layer).dram == pytest.approx(0.5 * dense.of(layer).dram)


@pytest.mark.parametrize(
    ("kind", "inputs", "elements"),
    [
        ("relu", 1, 0),
        ("batch_norm", 1, 0),
        ("concat", 2, 0),
        ("add", 2, 64),
        ("max_pool", 1, 128),
        ("gather", 1, 128),
    ],
)
def test_what_happens_on_the_way_out_moves_nothing(kind: str, inputs: int, elements: int) -> None:
    shape = (1, 4, 4, 4)
    layer = Layer("", kind, (shape,) * inputs, (shape,), operations=10)
    model = EnergyModel(weight_bits=16, activation_bits=16, floating=False)
    found = model.of(layer)
    assert found.dram == pytest.approx(200 * elements * model.unit)
    assert found.arithmetic == pytest.approx(10 * Arithmetic().add(16, floating=False))


def test_squeezenet_costs_a_third_more_than_alexnet_with_fifty_times_fewer_weights() -> None:
    """Yang, Chen and Sze 2017 (arXiv 1611.05128): 51.8x fewer weights, 33 % more energy.

    Their layers (convolutions and fully connected ones), their precision, a batch; no constant was fitted.
    """
    weights = [sum(layer.weights for layer in net) for net in (ALEXNET, SQUEEZENET)]
    assert weights[0] / weights[1] > 48
    alexnet, squeezenet = (total(net, ACCELERATOR) for net in (ALEXNET, SQUEEZENET))
    assert squeezenet.total / alexnet.total == pytest.approx(1.33, abs=0.05)
    assert squeezenet.dram > 2 * alexnet.dram  # feature maps of a deep, thin network


def test_the_paradox_holds_for_the_networks_as_people_run_them() -> None:
    with torch.device("meta"):  # shapes without numbers
        image = [torch.zeros(1, 3, 224, 224)]
        walked = [layers_of(nets.build(name), image) for name in ("alexnet", "squeezenet1_0")]
    for model in (
        ACCELERATOR,
        EnergyModel(batch=48),
        replace(ACCELERATOR, hierarchy=Memories().hierarchy()),
    ):
        alexnet, squeezenet = (total(net, model).total for net in walked)
        assert 1.2 < squeezenet / alexnet < 2.0


def test_the_paradox_turns_round_where_every_image_fetches_all_weights() -> None:
    alone = replace(ACCELERATOR, batch=1)
    assert total(SQUEEZENET, alone).total < 0.6 * total(ALEXNET, alone).total
    some = replace(ACCELERATOR, batch=16)
    assert total(SQUEEZENET, some).total > total(ALEXNET, some).total


def test_traffic_of_a_layer_is_what_its_energy_counts() -> None:
    layer = convolution("", 64, 64, 3, 1, 56)
    model = EnergyModel(weight_bits=16, activation_bits=16, floating=False)
    words = traffic(layer.nests[0], 108e3, 16, 16).bits(16, 16) / 16
    assert model.of(layer).dram == pytest.approx(200 * words * model.unit)
