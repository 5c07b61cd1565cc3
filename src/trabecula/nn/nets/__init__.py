"""Published networks, each a table of stages of `trabecula.nn.blocks`.

`build("efficientnet_b0", classes=10)`; parameters and multiply-adds are those of the papers.
"""

from __future__ import annotations

from trabecula.nn.nets.efficientnet import efficientnet_table, mbnet
from trabecula.nn.nets.registry import (
    PublishedNetwork,
    build,
    entry,
    names,
)

__all__ = ["PublishedNetwork", "build", "efficientnet_table", "entry", "mbnet", "names"]
