"""`trabecula distill`: a small network learns from a big one, both of them the user's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import messages, output, print_json
from trabecula.cli.edge import continuing, fail, say

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trabecula.nn.distill import DistillationResult, Epoch, Output

Batches = Callable[[int], Iterable[object]]

DEFAULT = "soft-targets"
METHODS_HELP = (
    "How to learn, with a weight where another than the usual is wanted (attention=1000): logits, "
    "soft-targets, hints, fsp, attention, factor, born-again, recasting, relational. "
    "May be given several times."
)
SET_HELP = (
    "A setting of a method, as JSON: soft-targets.temperature=8, "
    'attention.layers=[["layer1","block1"]]. May be given several times.'
)


def distill(
    teacher: Annotated[
        str,
        typer.Argument(
            metavar="TEACHER", help="The big network, module:name of a class, function or object."
        ),
    ],
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="The small network, likewise.")],
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Training batches, module:name of a list, a DataLoader or a function that gives one: "
            "pairs (inputs, targets).",
        ),
    ],
    method: Annotated[list[str] | None, typer.Option(metavar="NAME[=WEIGHT]", help=METHODS_HELP)] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="METHOD.FIELD=VALUE", help=SET_HELP)
    ] = None,
    validation: Annotated[
        str | None, typer.Option(metavar="NAME", help="Batches to measure errors on, like --data.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The teacher's weights, a saved state_dict.")
    ] = None,
    kind: Annotated[
        str,
        typer.Option("--outputs", metavar="KIND", help="What outputs are logits of: classes or densities."),
    ] = "classes",
    task_weight: Annotated[
        float,
        typer.Option(metavar="W", min=0.0, help="Weight of the loss against the targets; 0: none needed."),
    ] = 1.0,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the data.")] = 10,
    rate: Annotated[float, typer.Option(metavar="LR", help="Learning rate of Adam.")] = 1e-3,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Same seed, same student.")] = 0,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the student's weights go, as a state_dict.")
    ] = Path("student.pt"),
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written after every epoch; training goes on from it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train a small network with a big one. Needs the extra `learn`.

    Names are module:name, with the current directory on the path: classes and functions are called without
    arguments. The student's weights are saved as a state_dict; the teacher is not changed.
    """
    kept = "the same command goes on after the last whole epoch"
    with continuing(kept if checkpoint else "nothing is kept without --checkpoint"), fail_on_bad_input():
        from trabecula.nn.load import load_model, need_torch

        need_torch()
        import torch

        from trabecula.nn.distill import Distiller
        from trabecula.nn.distill.named import methods_by_name

        meaning = output_by_name(kind)
        methods = methods_by_name(method or [DEFAULT], setting or [])
        torch.manual_seed(seed)
        big = load_model(teacher)
        if weights is not None:
            read_weights(big, weights)
        small = load_model(student)
        if not 0 < rate < float("inf"):
            raise ValueError(f"--rate is {rate}; it must be above 0")
        held_out = None if validation is None else load_batches(validation)
        prepare(out)
        before = None if held_out is None else error_of(small, held_out, meaning)
        with progress(epochs, quiet or as_json) as report:
            outcome = Distiller(
                methods,
                output=meaning,
                task_weight=task_weight,
                epochs=epochs,
                optimizer=lambda parameters: torch.optim.Adam(parameters, lr=rate),
                seed=seed,
                checkpoint=checkpoint,
                progress=report,
            ).distill(big, small, load_batches(data))
        summary = summarise(big, outcome, held_out, meaning, before)
    write_weights(outcome.student, out)
    summary["file"] = str(out)
    if as_json:
        print_json(summary)
    elif not quiet:
        show(summary)


@contextmanager
def fail_on_bad_input() -> Iterator[None]:
    """What does not fit, and what torch says about a user's network, become one message and exit code 2."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        fail(" ".join(str(error).split()))


def output_by_name(name: str) -> Output:
    """What outputs mean, by name."""
    from trabecula.nn.distill import OUTPUTS

    if name not in OUTPUTS:
        raise ValueError(f"--outputs is '{name}'; it is one of {', '.join(OUTPUTS)}")
    return OUTPUTS[name]


def load_batches(name: str) -> Batches:
    """Batches by name, as a function of the epoch; what its code raises is one sentence."""
    from trabecula.nn.load import load_object

    found = load_object(name)

    def explain_failure(error: Exception) -> ValueError:
        return ValueError(f"'{name}' fails: {type(error).__name__}: {error}")

    def make() -> object:
        try:
            return found() if callable(found) else found
        except Exception as error:
            raise explain_failure(error) from error

    first = make()
    if not isinstance(first, Iterable):
        raise ValueError(f"'{name}' gives {type(first).__name__}, not batches one after the other")
    again = isinstance(first, Iterator)  # a generator is spent after one epoch: its function is called again

    def epoch(_: int) -> Iterator[object]:
        batches = make() if again else first
        assert isinstance(batches, Iterable)
        try:
            yield from batches
        except Exception as error:
            raise explain_failure(error) from error

    return epoch


def read_weights(network: nn.Module, path: Path) -> None:
    """Load a saved state_dict; nothing but tensors is unpickled."""
    from trabecula.storage.reading import UnreadableError
    from trabecula.storage.tensors import load_weights, read_tensors

    if not os.path.lexists(path):
        raise ValueError(f"{path}: no such file")
    try:
        state = read_tensors(path)
    except UnreadableError as error:
        raise ValueError(f"{path} holds no state_dict that torch can read: {error.reason}") from error
    try:
        load_weights(path, network, state)
    except UnreadableError as error:
        raise ValueError(f"{path} {error.reason}") from error


def prepare(path: Path) -> None:
    """See that the result can be written, before the time is spent."""
    from trabecula.nn.distill.checkpoint import KIND
    from trabecula.storage.owned import check_writable

    if path.is_dir():
        raise ValueError(f"--out {path} is a folder; give a file")
    check_writable(path, KIND)


def write_weights(network: nn.Module, path: Path) -> None:
    """Save a state_dict; an old one of ours stays until the new one is whole."""
    from trabecula.nn.distill.checkpoint import save

    save(path, network.state_dict())


def error_of(network: nn.Module, batches: Batches, meaning: Output) -> float:
    """A network's error, mean over the examples."""
    import torch

    from trabecula.nn.distill.features import peek
    from trabecula.nn.distill.method import TrainingBatch, first_line

    total, count = 0.0, 0
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    for given in batches(0):
        batch = TrainingBatch.of(given, device)
        if batch.targets is None:
            raise ValueError("--validation needs targets in its batches")
        logits: Tensor = peek(network, batch.inputs).output
        try:
            total += len(logits) * meaning.error(logits, batch.targets)
        except RuntimeError as error:
            shapes = f"outputs {tuple(logits.shape)} and targets {tuple(batch.targets.shape)}"
            raise ValueError(f"--validation: {shapes} do not go together: {first_line(error)}") from error
        count += len(logits)
    if not count:
        raise ValueError("--validation has no batches")
    return total / count


@contextmanager
def progress(epochs: int, silent: bool) -> Iterator[Callable[[Epoch], None] | None]:
    """The last epoch's loss on stderr, on a terminal."""
    console = messages()
    if silent or not console.is_terminal:
        yield None
        return
    with console.status("begins") as status:

        def report(line: Epoch) -> None:
            which = f"student {line.round + 1}, " if line.round else ""
            loss = line.losses["total"]
            where = f"{which}{line.stage}, epoch {line.epoch + 1} of {epochs}"
            status.update(f"{where}: loss {loss:.4g}")

        yield report


def summarise(
    teacher: nn.Module,
    outcome: DistillationResult,
    held_out: Batches | None,
    meaning: Output,
    before: float | None,
) -> dict[str, object]:
    """Sizes, errors and losses, ready for JSON."""

    def measure(network: nn.Module) -> dict[str, object]:
        error = None if held_out is None else error_of(network, held_out, meaning)
        return {"parameters": sum(p.numel() for p in network.parameters()), "error": error}

    summary: dict[str, object] = {
        "teacher": measure(teacher),
        "student": {**measure(outcome.student), "error_before": before},
        "seconds": outcome.seconds,
        "record": [
            {"round": e.round, "stage": e.stage, "epoch": e.epoch, "losses": dict(e.losses)}
            for e in outcome.record
        ],
    }
    if len(outcome.generations) > 1:
        summary["ensemble"] = measure(outcome.ensemble())
    return summary


def show(summary: dict[str, object]) -> None:
    """Print the summary as a table."""
    from rich.table import Table

    table = Table("", "parameters", "error", "before", box=None, pad_edge=False, padding=(0, 2))
    for name in ("teacher", "student", "ensemble"):
        row = summary.get(name)
        if isinstance(row, dict):
            table.add_row(
                name, f"{row['parameters']:,}", _share(row["error"]), _share(row.get("error_before"))
            )
    output().print(table)
    record = summary["record"]
    assert isinstance(record, list)
    if record:
        losses = ", ".join(f"{name} {value:.4g}" for name, value in record[-1]["losses"].items())
        output().print(f"last epoch: {losses}", soft_wrap=True)
    say(f"written: {summary['file']}")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
