"""Energy of a network from its shapes: arithmetic, and every step of the memory hierarchy.

The method is that of Yang, Chen and Sze 2017 (arXiv 1611.05128): energy = sum over multiply-accumulates +
sum over memory levels of (accesses x energy an access), accesses from the layer's shape under the best order
of its loops, everything scaled with the bits of an element.

What is assumed, and can be changed in `EnergyModel`:

* an accelerator with the four levels of Eyeriss (Chen, Emer, Sze, ISCA 2016): registers in each of 168
  processing elements (0.5 kB), the network between these, one buffer of 108 kB, DRAM; relative costs of an
  access to a 16-bit word 1, 2, 6, 200, in units of one 16-bit multiply-accumulate;
* that unit, and arithmetic at other precisions, from Horowitz 2014 (ISSCC, 45 nm, 0.9 V);
* four register accesses a multiply-accumulate (input, weight, partial sum in and out); words from the network
  fill one element's registers; words from the buffer fill the registers of all elements together, shared
  ideally; every word from DRAM goes through the buffer. Mappings are the best of `traffic`: a lower bound;
* layers one after the other: a feature map is written to DRAM and read again, since the maps of `batch`
  inputs do not fit into the buffer together; weights are read once a batch where the best order allows it;
* normalisations, activations and sums happen while a map is written (the second operand of a sum is read), a
  concatenation is a matter of addresses; pooling reads and writes its maps;
* no zeros are skipped and nothing is compressed, unless densities below 1 are given.

`Memories().hierarchy()` replaces Eyeriss's factors of buffer and DRAM by the absolute figures of Horowitz's
table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

from trabecula.nn.profile.layer import (
    MOVES,
    PRODUCTS,
    Layer,
    Nest,
)
from trabecula.nn.profile.tiling import Traffic, traffic


@dataclass(frozen=True)
class Arithmetic:
    """Energy of single operations in picojoules (Horowitz 2014, figure 1.1.9: 45 nm, 0.9 V)."""

    float32_multiply: float = 3.7
    float32_add: float = 0.9
    float16_multiply: float = 1.1
    float16_add: float = 0.4
    int32_multiply: float = 3.1
    int32_add: float = 0.1
    int8_multiply: float = 0.2
    int8_add: float = 0.03

    def multiply(self, bits: int, floating: bool) -> float:
        """A multiplication; between the table's widths the cost grows with a power of the bits."""
        if floating:
            return _between(bits, (16, self.float16_multiply), (32, self.float32_multiply))
        return _between(bits, (8, self.int8_multiply), (32, self.int32_multiply))

    def add(self, bits: int, floating: bool) -> float:
        """An addition, comparison or other small operation."""
        if floating:
            return _between(bits, (16, self.float16_add), (32, self.float32_add))
        return _between(bits, (8, self.int8_add), (32, self.int32_add))

    def mac(self, bits: int, floating: bool) -> float:
        """A multiply-accumulate."""
        return self.multiply(bits, floating) + self.add(bits, floating)


def _between(size: float, low: tuple[int, float], high: tuple[int, float]) -> float:
    power = math.log(high[1] / low[1]) / math.log(high[0] / low[0])
    return float(low[1] * (size / low[0]) ** power)


@dataclass(frozen=True)
class Hierarchy:
    """Relative costs of the memory levels (Eyeriss, ISCA 2016, table IV) and their sizes (JSSC 2017).

    Parameters
    ----------
    register, network, buffer, dram
        Energy of an access, a word of `word_bits`, in units of one multiply-accumulate of that width.
    register_bytes, elements
        Registers of a processing element, and the number of elements.
    buffer_bytes
        The global buffer.
    word_bits
        The width the factors were measured at.
    """

    register: float = 1.0
    network: float = 2.0
    buffer: float = 6.0
    dram: float = 200.0
    register_bytes: float = 512.0
    elements: int = 168
    buffer_bytes: float = 108e3
    word_bits: int = 16


@dataclass(frozen=True)
class Memories:
    """Energy of a 64-bit access in picojoules (Horowitz 2014, figure 1.1.9), DRAM amid 1.3 to 2.6 nJ."""

    sram_8k: float = 10.0
    sram_32k: float = 20.0
    sram_1m: float = 100.0
    dram: float = 1950.0

    def sram(self, size: float) -> float:
        """An access to a memory of `size` bytes; between the table's sizes a power of the size."""
        low, middle, high = (8192, self.sram_8k), (32768, self.sram_32k), (2**20, self.sram_1m)
        return _between(size, low, middle) if size < middle[0] else _between(size, middle, high)

    def hierarchy(self, arithmetic: Arithmetic | None = None, base: Hierarchy | None = None) -> Hierarchy:
        """Eyeriss's levels with buffer and DRAM at these costs (the table has no registers or network).

        Parameters
        ----------
        arithmetic
            Where the unit, a 16-bit integer multiply-accumulate, is taken from.
        base
            Sizes and the other factors.
        """
        base = base or Hierarchy()
        unit = (arithmetic or Arithmetic()).mac(base.word_bits, floating=False)
        share = base.word_bits / 64 / unit
        return replace(base, buffer=self.sram(base.buffer_bytes) * share, dram=self.dram * share)


@dataclass(frozen=True)
class Energy:
    """Energy of a layer or network in picojoules, by where it goes."""

    arithmetic: float = 0.0
    register: float = 0.0
    network: float = 0.0
    buffer: float = 0.0
    dram: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.arithmetic + self.register + self.network + self.buffer + self.dram

    def __add__(self, other: Energy) -> Energy:
        return Energy(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def scale(self, factor: float) -> Energy:
        """Every part times `factor`."""
        return Energy(*(getattr(self, each.name) * factor for each in fields(self)))


@dataclass(frozen=True)
class EnergyModel:
    """How energy is counted; the module's docstring says what is assumed.

    Parameters
    ----------
    arithmetic, hierarchy
        Costs.
    weight_bits, activation_bits
        Bits of the numbers; None takes those each layer has.
    floating
        Whether arithmetic is floating point; None: floating from 16 bits on, as in networks on a CPU.
    batch
        Copies of the profiled input processed together: weights are fetched once for all of them. Energies
        are given a copy.
    weight_density, activation_density
        Share of non-zeros, for hardware that skips and compresses zeros.
    """

    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    hierarchy: Hierarchy = field(default_factory=Hierarchy)
    weight_bits: int | None = None
    activation_bits: int | None = None
    floating: bool | None = None
    batch: int = 1
    weight_density: float = 1.0
    activation_density: float = 1.0

    @property
    def unit(self) -> float:
        """Picojoules of the multiply-accumulate the hierarchy's factors refer to (an integer one)."""
        return self.arithmetic.mac(self.hierarchy.word_bits, floating=False)

    def of(self, layer: Layer) -> Energy:
        """Energy of one layer, for one copy of the profiled input.

        Parameters
        ----------
        layer
            Shapes and counts.

        Returns
        -------
        Energy
            Picojoules.
        """
        weight_bits = self.weight_bits or layer.weight_bits
        activation_bits = self.activation_bits or layer.activation_bits
        bits = max(weight_bits, activation_bits)
        floating = self.floating if self.floating is not None else bits >= 16
        single = Energy(arithmetic=layer.operations * self.arithmetic.add(bits, floating))
        if not layer.heavy:
            return single + self._access_energy(layer, weight_bits, activation_bits)
        # The second factor of a product of activations belongs to its input: nothing is shared in a batch.
        product = layer.kind in PRODUCTS
        for nest in layer.nests:
            copies = (
                replace(nest, groups=nest.groups * self.batch)
                if product
                else replace(nest, images=nest.images * self.batch)
            )
            stored = activation_bits if product else weight_bits
            single += self._of_nest(copies, stored, activation_bits, floating).scale(1 / self.batch)
        return single

    def _of_nest(self, nest: Nest, weight_bits: int, activation_bits: int, floating: bool) -> Energy:
        work = nest.macs * self.weight_density * self.activation_density
        tree = self.hierarchy
        sizes = (tree.register_bytes, tree.register_bytes * tree.elements, tree.buffer_bytes)
        network, buffer, dram = (
            self._words(traffic(nest, size, weight_bits, activation_bits), weight_bits, activation_bits)
            for size in sizes
        )
        register = work * (weight_bits + 3 * activation_bits) / tree.word_bits
        return Energy(
            arithmetic=work * self.arithmetic.mac(max(weight_bits, activation_bits), floating),
            register=register * tree.register * self.unit,
            network=network * tree.network * self.unit,
            buffer=max(buffer, dram) * tree.buffer * self.unit,
            dram=dram * tree.dram * self.unit,
        )

    def _words(self, crossing: Traffic, weight_bits: int, activation_bits: int) -> float:
        """Words of the hierarchy's width that cross a boundary."""
        dense = Traffic(
            crossing.inputs * self.activation_density,
            crossing.weights * self.weight_density,
            crossing.outputs * self.activation_density,
        )
        return dense.bits(weight_bits, activation_bits) / self.hierarchy.word_bits

    def _access_energy(self, layer: Layer, weight_bits: int, activation_bits: int) -> Energy:
        """Memory accesses of a layer without multiply-accumulates, by what a good schedule must move."""
        elements = self._elements(layer) * self.activation_density
        tree = self.hierarchy
        words = (elements * activation_bits + layer.weights * weight_bits / self.batch) / tree.word_bits
        return Energy(buffer=words * tree.buffer * self.unit, dram=words * tree.dram * self.unit)

    def _elements(self, layer: Layer) -> int:
        if layer.kind == "concat":
            return 0
        if layer.elementwise and layer.kind not in MOVES:
            return sum(math.prod(shape) for shape in layer.inputs[1:])
        return layer.input_elements + layer.output_elements
