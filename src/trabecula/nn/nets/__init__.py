"""Published networks, each a table of stages of `trabecula.nn.blocks`.

`build("efficientnet_b0", classes=10)`; parameters and multiply-adds are those of the papers.
"""

from __future__ import annotations

from trabecula.nn.nets.efficientnet import efficientnet_table, mbnet
from trabecula.nn.nets.registry import (
    Published,
    build,
    names,
    published,
)

__all__ = ["Published", "build", "efficientnet_table", "mbnet", "names", "published"]
