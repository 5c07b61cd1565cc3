"""What a network is trained on, one problem's worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Example:
    """What a network sees, what it corrects, and what it should say.

    Attributes
    ----------
    fields
        float16 `[channel, z, y, x]`.
    base
        float16 `[z, y, x]`: logits the network's answer is added to.
    target
        float16 `[z, y, x]`: density of the design reached.
    """

    fields: Half
    base: Half
    target: Half
