"""The four rules of ShuffleNet v2 as a lint that says what each break costs on this machine.

Ma, Zhang, Zheng and Sun 2018 (arXiv 1807.11164): G1 equal channel width minimises memory access; G2 excessive
group convolution increases it; G3 fragmentation reduces the degree of parallelism; G4 element-wise operations
are not negligible. The paper measured them on a GPU and a phone; what they cost elsewhere is another matter,
so here each break is timed against a twin that keeps the rule at the same multiply-accumulates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trabecula.nn.profile import twins
from trabecula.nn.profile.latency import Latency, measure_together, torch_threads
from trabecula.nn.profile.layer import Layer, Nest
from trabecula.nn.profile.report import Profile
from trabecula.nn.profile.twins import Maker, TwinPlan

TITLES = {
    "G1": "unbalanced 1x1 convolution",
    "G2": "group convolution",
    "G3": "parallel branches",
    "G4": "element-wise operations",
}


@dataclass(frozen=True)
class Thresholds:
    """From where on a rule counts as broken.

    Parameters
    ----------
    balance
        G1: more than this many times as many channels on one side of a 1x1 convolution as on the other.
    groups
        G2: this many groups.
    branches
        G3: this many branches with convolutions between one fork and one join.
    """

    balance: float = 2.0
    groups: int = 2
    branches: int = 2


@dataclass(frozen=True)
class Break:
    """A rule broken, once or several times in the same way.

    Parameters
    ----------
    rule
        `G1` to `G4`.
    layers
        Names of the layers concerned.
    what
        What is there.
    times
        How often it is there.
    plan, twin
        What is there, and what would keep the rule; None where the layers' own times tell (G4).
    """

    rule: str
    layers: tuple[str, ...]
    what: str
    times: int
    plan: TwinPlan | None = None
    twin: TwinPlan | None = None


@dataclass(frozen=True)
class BreakCost:
    """A break and what it costs.

    Parameters
    ----------
    broken
        The break.
    ratio
        Time as it is over time with the rule kept, at equal multiply-accumulates; below 1 breaking it pays.
    seconds
        What that is in one run of the network: positive where time is lost.
    as_is, kept
        Both measurements, where there were two.
    """

    broken: Break
    ratio: float
    seconds: float
    as_is: Latency | None = None
    kept: Latency | None = None

    def to_json(self) -> dict[str, object]:
        """Plain values, for a file."""
        return {
            "rule": self.broken.rule,
            "what": self.broken.what,
            "layers": list(self.broken.layers),
            "times": self.broken.times,
            "ratio": self.ratio,
            "seconds": self.seconds,
            "as_is": self.as_is.median if self.as_is else None,
            "kept": self.kept.median if self.kept else None,
        }


def find_breaks(layers: Sequence[Layer], thresholds: Thresholds | None = None) -> list[Break]:
    """Where a network breaks the rules, from its layers' shapes alone.

    Parameters
    ----------
    layers
        In the order they run, with the names of the tensors between them.
    thresholds
        From where on a rule counts as broken.

    Returns
    -------
    list[Break]
        By rule; breaks of the same shape together. A depthwise convolution stands under G4, where the paper
        puts it: much memory access for little arithmetic.
    """
    thresholds = thresholds or Thresholds()
    return [
        *_same(
            layers, "G1", lambda nest: _imbalance(nest, thresholds.balance), _one_group(twins.balanced_twin)
        ),
        *_same(layers, "G2", lambda nest: _groups(nest, thresholds.groups), _one_group(twins.ungrouped_twin)),
        *_fragments(layers, thresholds.branches),
        *_same(layers, "G4", _depthwise, _one_group(twins.ungrouped_twin)),
        *_elementwise(layers),
    ]


def lint(
    profile: Profile,
    thresholds: Thresholds | None = None,
    runs: int = 15,
    warmup: int = 3,
    maker: Maker = twins.torch_call,
) -> list[BreakCost]:
    """Find the breaks of a profiled network and measure what they cost.

    Parameters
    ----------
    profile
        The network, measured.
    thresholds
        From where on a rule counts as broken.
    runs, warmup
        Of every pair, timed in turn.
    maker
        What runs the twins: `torch_call`, or `onnx_call` for a model that will run in ONNX Runtime.

    Returns
    -------
    list[BreakCost]
        The dearest first.
    """
    with torch_threads(profile.threads):
        found = [
            _price(each, profile, runs, warmup, maker) for each in find_breaks(profile.layers, thresholds)
        ]
    return sorted(found, key=lambda verdict: -verdict.seconds)


def _price(broken: Break, profile: Profile, runs: int, warmup: int, maker: Maker) -> BreakCost:
    if broken.plan is None or broken.twin is None:
        spent = sum(cost.latency.median for cost in profile.costs if cost.layer.name in broken.layers)
        rest = sum(cost.latency.median for cost in profile.costs) - spent
        return BreakCost(broken, (spent + rest) / rest if rest > 0 else float("inf"), spent)
    calls = {"as is": maker(broken.plan, profile.threads), "kept": maker(broken.twin, profile.threads)}
    both = measure_together(calls, runs, warmup)
    as_is, kept = both["as is"], both["kept"]
    fair = kept.median * broken.plan.macs / broken.twin.macs  # channels are whole numbers, MACs nearly equal
    return BreakCost(broken, as_is.median / fair, broken.times * (as_is.median - fair), as_is, kept)


def _imbalance(nest: Nest, balance: float) -> str:
    more, less = max(nest.inputs, nest.outputs), min(nest.inputs, nest.outputs)
    if not nest.pointwise or nest.groups > 1 or more <= balance * less:
        return ""
    return f"1x1 from {nest.inputs} to {nest.outputs} channels"


def _groups(nest: Nest, groups: int) -> str:
    if nest.groups < groups or nest.depthwise:
        return ""
    kernel = "x".join(map(str, nest.kernel))
    return (
        f"{kernel} from {nest.groups * nest.inputs} to {nest.groups * nest.outputs} in {nest.groups} groups"
    )


def _depthwise(nest: Nest) -> str:
    kernel = "x".join(map(str, nest.kernel))
    return f"depthwise {kernel} on {nest.groups} channels" if nest.depthwise else ""


def _one_group(change: Callable[[Nest], Nest]) -> Callable[[Nest], TwinPlan]:
    return lambda nest: twins.single(change(nest))


def _same(
    layers: Sequence[Layer], rule: str, says: Callable[[Nest], str], twin: Callable[[Nest], TwinPlan]
) -> list[Break]:
    """Breaks that one convolution makes by itself, those of equal shape in one."""
    found: dict[Nest, list[str]] = defaultdict(list)
    for layer in layers:
        if layer.kind == "convolution" and layer.nest and says(layer.nest):
            found[layer.nest].append(layer.name)
    return [
        Break(rule, tuple(names), says(nest), len(names), twins.single(nest), twin(nest))
        for nest, names in found.items()
    ]


def _elementwise(layers: Sequence[Layer]) -> list[Break]:
    found: dict[str, list[str]] = defaultdict(list)
    for layer in layers:
        if layer.elementwise:
            found[layer.kind].append(layer.name)
    return [Break("G4", tuple(names), kind, len(names)) for kind, names in found.items()]


def _fragments(layers: Sequence[Layer], least: int) -> list[Break]:
    """Branches with convolutions that leave one tensor and meet again in one sum or concatenation."""
    writer = {name: layer for layer in layers for name in layer.writes}
    readers: dict[str, int] = defaultdict(int)
    for layer in layers:
        for name in layer.reads:
            readers[name] += 1
    found: dict[TwinPlan, list[tuple[str, ...]]] = defaultdict(list)
    for join in layers:
        if join.kind not in ("concat", "add") or len(join.reads) < 2:
            continue
        paths = [_path(name, writer, readers) for name in join.reads]
        fork = next((name for name in paths[0] if all(name in path for path in paths)), None)
        if fork is None:
            continue
        branches = [path[fork] for path in paths if path[fork]]
        if join.kind == "add":  # a projection on the shortcut is part of a residual block
            branches = [branch for branch in branches if len(branch) > 1 or not _is_projection(branch[0])]
        if len(branches) >= least:
            nests = tuple(tuple(layer.nests[0] for layer in branch[::-1]) for branch in branches)
            names = tuple(layer.name for branch in branches for layer in branch[::-1])
            found[TwinPlan(nests, _joinable(nests, join.kind))].append(names)
    return [
        Break(
            "G3",
            tuple(name for names in each for name in names),
            f"{len(plan.branches)} branches, {sum(map(len, plan.branches))} convolutions",
            len(each),
            plan,
            twins.merged_twin(plan),
        )
        for plan, each in found.items()
    ]


def _is_projection(layer: Layer) -> bool:
    return layer.nests[0].pointwise


def _joinable(nests: tuple[tuple[Nest, ...], ...], kind: str) -> str:
    """The join, where the last convolutions of all branches have the size for it."""
    ends = [branch[-1] for branch in nests]
    if len({end.pixels for end in ends}) > 1:
        return ""
    widths = {end.groups * end.outputs for end in ends}
    return kind if kind == "concat" or len(widths) == 1 else ""


def _path(name: str, writer: dict[str, Layer], readers: dict[str, int]) -> dict[str, list[Layer]]:
    """Forks upstream of a tensor, nearest first, with the convolutions between (nearest first)."""
    forks: dict[str, list[Layer]] = {}
    heavy: list[Layer] = []
    while True:
        if readers[name] > 1:
            forks[name] = list(heavy)
        layer = writer.get(name)
        if layer is None or not layer.reads:
            return forks
        if layer.kind == "convolution":
            heavy.append(layer)
        name = layer.reads[0]
