"""`trabecula profile`: what a network costs, layer by layer, and what breaking the four rules costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import output, print_json, waiting
from trabecula.cli.edge import fail

if TYPE_CHECKING:
    from torch import nn

    from trabecula.nn.profile import BreakCost, HostMachine, Profile


def profile(
    network: Annotated[
        str,
        typer.Argument(metavar="MODEL.onnx|module:Class", help="ONNX file, or a torch network by its name."),
    ],
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="1x3x224x224", help="Shape of the input; once for each input, in order."),
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Threads it runs with.")] = 1,
    runs: Annotated[int, typer.Option(metavar="N", min=1, help="Timed runs.")] = 30,
    batch: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Inputs that share one fetch of the weights (energy only)."),
    ] = 1,
    peak: Annotated[
        float | None, typer.Option(metavar="GFLOPS", help="Peak arithmetic; measured where not given.")
    ] = None,
    bandwidth: Annotated[
        float | None, typer.Option(metavar="GBYTES", help="Memory bandwidth; measured where not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No spinner; totals and verdict only.")] = False,
) -> None:
    """Measure a network: parameters, multiply-adds, bytes, time, energy, roofline, and the four rules."""
    shapes = [_shape(each) for each in shape or []]
    try:
        from trabecula.nn.profile import (
            EnergyModel,
            lint,
            onnx_call,
            torch_call,
        )
        from trabecula.nn.profile import profile as measure

        is_file = network.endswith(".onnx")
        with waiting("measuring", quiet or as_json):
            found = measure(
                Path(network) if is_file else _module(network),
                *shapes,
                threads=threads,
                runs=runs,
                energy=EnergyModel(batch=batch),
                machine=_machine(peak, bandwidth, threads),
            )
            found = replace(found, name=network)
            verdicts = lint(found, runs=min(runs, 15), maker=onnx_call if is_file else torch_call)
    except ImportError as error:
        fail(f"profiling needs {error.name}: pip install 'trabecula[learn]'")
    except ValueError as error:
        fail(str(error))
    if as_json:
        print_json({**found.to_json(), "rules": [verdict.to_json() for verdict in verdicts]})
        return
    if not quiet:
        _print_layers(found)
    _print_totals(found)
    _print_rules(verdicts)


def _shape(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        fail(f"--shape {text}: write sizes with x between them, for example 1x3x224x224")
    return sizes


def _module(name: str) -> nn.Module:
    from trabecula.nn.load import load_model

    if ":" not in name:
        fail(f"'{name}': give an ONNX file (MODEL.onnx) or a torch network (module:Class)")
    return load_model(name)


def _machine(peak: float | None, bandwidth: float | None, threads: int) -> HostMachine:
    from trabecula.nn.profile import HostMachine, measure_machine

    for name, value in (("--peak", peak), ("--bandwidth", bandwidth)):
        if value is not None and not value > 0:
            fail(f"{name} {value:g}: must be above zero")
    if peak and bandwidth:
        return HostMachine(peak * 1e9, bandwidth * 1e9)
    here = measure_machine(threads)
    return HostMachine(
        peak * 1e9 if peak else here.peak, bandwidth * 1e9 if bandwidth else here.bandwidth, measured=True
    )


def _print_layers(found: Profile) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("layer", overflow="fold")
    table.add_column("kind")
    for name in ("params", "MACs", "bytes", "µs", "spread", "µJ", "flop/B", "bound µs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("limit")
    for cost in found.costs:
        layer = cost.layer
        fused = cost.latency.median == 0
        table.add_row(
            layer.name,
            layer.kind,
            _count(layer.parameters),
            _count(layer.macs),
            _count(layer.bytes),
            "fused" if fused else f"{1e6 * cost.latency.median:.3g}",
            "" if fused else f"{100 * cost.latency.spread:.0f} %",
            f"{1e-6 * cost.energy.total:.3g}",
            f"{layer.intensity:.3g}",
            f"{1e6 * cost.bound:.3g}",
            cost.limit,
        )
    output().print(table)


def _print_totals(found: Profile) -> None:
    from rich.text import Text

    from trabecula.cli.console import print_pairs

    energy, machine = found.energy, found.machine
    parts = {
        "arithmetic": energy.arithmetic,
        "registers": energy.register,
        "network": energy.network,
        "buffer": energy.buffer,
        "DRAM": energy.dram,
    }
    shares = ", ".join(f"{name} {value / energy.total:.0%}" for name, value in parts.items() if energy.total)
    times = found.latency
    threads = f"  {found.threads} thread{'s' if found.threads > 1 else ''}"
    output().print(Text.assemble((found.name, "bold"), threads), soft_wrap=True)
    print_pairs(
        [
            ("parameters", f"{found.parameters:,}"),
            ("MACs", f"{found.macs:,}"),
            ("bytes moved", f"{found.bytes:,} ({_count(found.weight_bytes)} of weights)"),
            (
                "latency",
                f"{1e3 * times.median:.4g} ms (median of {times.runs}, quartiles {1e3 * times.low:.4g} to "
                f"{1e3 * times.high:.4g})",
            ),
            ("energy", f"{1e-6 * energy.total:.4g} µJ estimated ({shares})"),
            ("intensity", f"{found.intensity:.3g} flop/byte (ridge at {machine.ridge:.3g})"),
            (
                "roofline",
                f"{1e3 * found.bound:.4g} ms at {1e-9 * machine.peak:.3g} Gflop/s, "
                f"{1e-9 * machine.bandwidth:.3g} GB/s {'measured' if machine.measured else 'given'}",
            ),
        ]
    )


def _print_rules(verdicts: Sequence[BreakCost]) -> None:
    from rich.table import Table

    from trabecula.nn.profile.rules import TITLES

    if not verdicts:
        output().print("The four rules of ShuffleNet v2: nothing to say.")
        return
    output().print("The four rules of ShuffleNet v2, each break against a twin that keeps the rule:")
    table = Table("rule", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("")
    table.add_column("where", overflow="fold")
    table.add_column("times", justify="right")
    table.add_column("costs", justify="right", no_wrap=True)
    table.add_column("µs", justify="right", no_wrap=True)
    for verdict in verdicts:
        broken = verdict.broken
        more = f" and {len(broken.layers) - 1} more" if len(broken.layers) > 1 else ""
        table.add_row(
            broken.rule,
            f"{TITLES[broken.rule]}: {broken.what}",
            f"{broken.layers[0]}{more}",
            str(broken.times),
            f"x {verdict.ratio:.2f}",
            f"{1e6 * verdict.seconds:+.3g}",
        )
    output().print(table)


def _count(value: int) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return str(value)
