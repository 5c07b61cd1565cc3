"""Graph networks, small: what a node collects from its neighbours, how it updates, what a graph says in all.

`steps` holds the three functions all of it is made of: `aggregate`, `combine`, `readout`. The layers (`GCN`,
`GraphSAGE`, `GIN`, `GAT`, `GATv2`, `RelationAttention`, `Message`) are a few lines each on top of them, and
`NodeClassifier` and `GraphClassifier` are stacks of layers with a head. One layer is one hop. Plain PyTorch.
"""

from trabecula.nn.graph.attention import GAT, GATv2
from trabecula.nn.graph.convolution import GCN, GIN, GraphSAGE
from trabecula.nn.graph.message import Message
from trabecula.nn.graph.nets import (
    AttentionReadout,
    GraphClassifier,
    GraphEncoder,
    NodeClassifier,
)
from trabecula.nn.graph.relation import RelationAttention, both_ways
from trabecula.nn.graph.steps import aggregate, combine, readout
from trabecula.nn.graph.structure import (
    Graph,
    batch,
    from_adjacency,
    from_pairs,
    with_loops,
)

__all__ = [
    "GAT",
    "GCN",
    "GIN",
    "AttentionReadout",
    "GATv2",
    "Graph",
    "GraphClassifier",
    "GraphEncoder",
    "GraphSAGE",
    "Message",
    "NodeClassifier",
    "RelationAttention",
    "aggregate",
    "batch",
    "both_ways",
    "combine",
    "from_adjacency",
    "from_pairs",
    "readout",
    "with_loops",
]
