"""What one layer does, whatever framework it comes from: shapes, loops, counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

Shape = tuple[int, ...]

PRODUCTS = frozenset({"matmul", "attention"})
MOVES = frozenset(
    {"concat", "copy", "pad", "gather", "roll", "shuffle", "repeat", "upsample", "embedding", "transpose"}
)
POOLS = frozenset({"max_pool", "average_pool", "mean", "sum", "reduce"})


@dataclass(frozen=True)
class Nest:
    """The loops of a convolution, a linear layer or a matrix product.

    `for image, group, output, pixel, input, tap: sum += weight * value`. A linear layer has one tap; a
    product of two activations has one group a matrix; a transposed convolution has the loops of the
    convolution it is the adjoint of (its `inputs` are then the channels it writes).

    Parameters
    ----------
    images
        Independent examples that share the weights.
    groups
        Groups, each with its own weights.
    inputs, outputs
        Channels of one group.
    pixels
        Output positions of one image, slowest first.
    kernel, stride
        Taps and steps, one a dimension of `pixels`.
    """

    images: int
    groups: int
    inputs: int
    outputs: int
    pixels: Shape = (1,)
    kernel: Shape = (1,)
    stride: Shape = (1,)

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return (
            self.images
            * self.groups
            * self.inputs
            * self.outputs
            * math.prod(self.pixels)
            * math.prod(self.kernel)
        )

    @property
    def weights(self) -> int:
        """Weights, biases not counted."""
        return self.groups * self.inputs * self.outputs * math.prod(self.kernel)

    @property
    def depthwise(self) -> bool:
        """Whether every channel is filtered by itself."""
        return self.groups > 1 and self.inputs == 1

    @property
    def pointwise(self) -> bool:
        """Whether it only mixes channels."""
        return math.prod(self.kernel) == 1


@dataclass(frozen=True)
class Layer:
    """One operation of a network at fixed shapes.

    Parameters
    ----------
    name
        Unique within the network; begins with the module or node it belongs to.
    kind
        `convolution`, `linear`, `matmul`, `attention`, `recurrent`, or what it does to each element.
    inputs, outputs
        Shapes of the activations it reads and writes.
    reads, writes
        Names of those activations, the same name wherever one is used: the network's graph.
    parameters
        Parameters that appear here first (a shared weight counts once in the network).
    weights
        Weight elements it reads, biases and normalisation included.
    nests
        Its loops, where it multiplies and accumulates: one for most, several for recurrent layers and
        attention, none otherwise.
    operations
        Arithmetic on single elements (additions, comparisons, exponentials), multiply-accumulates not
        included.
    weight_bits, activation_bits
        Bits a stored element.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    parameters: int = 0
    weights: int = 0
    nests: tuple[Nest, ...] = ()
    operations: int = 0
    weight_bits: int = 32
    activation_bits: int = 32

    @property
    def nest(self) -> Nest | None:
        """The loops of a layer that has one set of them."""
        return self.nests[0] if len(self.nests) == 1 else None

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return sum(nest.macs for nest in self.nests)

    @property
    def flops(self) -> int:
        """Floating-point operations: two per multiply-accumulate, one per element-wise operation."""
        return 2 * self.macs + self.operations

    @property
    def input_elements(self) -> int:
        """Activation elements read."""
        return sum(map(math.prod, self.inputs))

    @property
    def output_elements(self) -> int:
        """Activation elements written."""
        return sum(map(math.prod, self.outputs))

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, each read once."""
        return self.weights * self.weight_bits // 8

    @property
    def bytes(self) -> int:
        """Bytes moved when weights, inputs and outputs cross the memory bus once."""
        return self.weight_bytes + (self.input_elements + self.output_elements) * self.activation_bits // 8

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: floating-point operations per byte moved."""
        return self.flops / self.bytes if self.bytes else 0.0

    @property
    def heavy(self) -> bool:
        """Whether it multiplies and accumulates."""
        return bool(self.nests)

    @property
    def elementwise(self) -> bool:
        """Whether it touches every element and hardly computes: G4 of ShuffleNet v2."""
        return not self.heavy and self.kind not in POOLS
