"""`trabecula tune`: a search over the settings of somebody's network, with latency as it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import number, output, print_json
from trabecula.cli.edge import continuing, fail, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optuna.trial import BaseTrial

    from trabecula.nn.tune.candidate import Report
    from trabecula.nn.tune.goals import TuningGoal
    from trabecula.nn.tune.outcome import TrialResult, TuningResult

SHOWN = 10
"""Rows of the table."""


@dataclass(frozen=True)
class NamedCandidate:
    """A candidate by its name, which any process can find again."""

    name: str

    def __call__(self, trial: BaseTrial) -> Iterable[Report]:
        """Call what the name stands for."""
        from trabecula.nn.load import load_object

        found: Iterable[Report] = load_object(self.name)(trial)  # type: ignore[operator]
        return found


def tune(
    candidate: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FUNCTION",
            help="A function that takes a trial, yields the network to be timed and then its metric after"
            " every epoch; or a Recipe.",
        ),
    ],
    trials: Annotated[
        int, typer.Option(metavar="N", min=1, help="Trials in the end, those in the storage included.")
    ],
    storage: Annotated[
        str | None,
        typer.Option(metavar="FILE.db", help="Keep trials here; the same file again goes on with them."),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Search for the reward metric * (latency / MS)^weight."),
    ] = None,
    weight: Annotated[
        float | None, typer.Option(metavar="W", help="Exponent of the reward (default -0.07).")
    ] = None,
    hard: Annotated[
        bool, typer.Option("--hard", help="Exponent 0 up to the target and -1 beyond it.")
    ] = False,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Search for the front of metric against latency.")
    ] = False,
    pruner: Annotated[
        str, typer.Option(metavar="RULE", help="Drop bad trials by median, asha, hyperband or none.")
    ] = "median",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the search in its file (default: the function's).")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of proposals, weights and batches.")] = 0,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Processes that share the storage.")
    ] = 1,
    threads: Annotated[
        int, typer.Option(metavar="N", min=1, max=1024, help="Threads while a network is timed.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No line after every trial.")] = False,
) -> None:
    """Search the settings of a network, latency measured on this machine.

    Exit code 0: all trials are there; 2: what is asked for cannot be done.
    """
    try:
        from trabecula.nn.load import load_object
        from trabecula.nn.tune import TuneError, search
        from trabecula.nn.tune.timing import Timing
    except ImportError as error:
        fail(f"tune needs {error.name}: pip install 'trabecula[learn]'")
    try:
        if not callable(load_object(candidate)):
            fail(f"'{candidate}' is nothing to call; name a function that takes a trial, or a Recipe")
        goal: TuningGoal = _goal(target, weight, hard, pareto)
        kept = "trials that were finished are kept, the same command goes on"
        with continuing(kept if storage else "nothing is kept without --storage"):
            outcome = search(
                NamedCandidate(candidate),
                trials=trials,
                goal=goal,
                pruner=pruner,
                storage=storage,
                name=name or candidate,
                seed=seed,
                workers=workers,
                timing=Timing(threads=threads),
                progress=None if quiet or as_json else _tell,
            )
    except (TuneError, ValueError) as error:
        fail(str(error))
    if as_json:
        print_json({"name": name or candidate, "goal": repr(goal), **outcome.to_json()})
    else:
        _print(outcome, timed=goal.needs_latency)


def _goal(target: float | None, weight: float | None, hard: bool, pareto: bool) -> TuningGoal:
    from trabecula.nn.tune import Metric, Pareto, Reward

    if pareto and (target is not None or weight is not None or hard):
        fail("--pareto searches for the whole front; leave out --target, --weight and --hard")
    if pareto:
        return Pareto()
    if target is None and (weight is not None or hard):
        fail("--weight and --hard need a --target in milliseconds")
    if weight is not None and hard:
        fail("give --weight or --hard, not both")
    if target is None:
        return Metric()
    return Reward.hard(target) if hard else Reward.soft(target, -0.07 if weight is None else weight)


def _tell(tried: TrialResult) -> None:
    words = [f"trial {tried.number}: {tried.state}"]
    if tried.metric is not None:
        words.append(f"metric {number(tried.metric)}")
    if tried.latency is not None:
        words.append(f"latency {number(tried.latency, 'ms', 3)}")
    if tried.note:
        words.append(tried.note)
    say(", ".join(words))


def _print(outcome: TuningResult, timed: bool) -> None:
    from rich.table import Table

    table = Table("trial", "value", "metric", "latency", "front", "settings", box=None, padding=(0, 2, 0, 0))
    front = {each.number for each in outcome.front}
    for each in outcome.ranking()[:SHOWN]:
        spread = "" if each.low == each.high else f" ({number(each.low, '', 3)}–{number(each.high, '', 3)})"
        table.add_row(
            str(each.number),
            number(each.value),
            number(each.metric),
            number(each.latency, "ms", 3) + spread,
            "yes" if each.number in front else "",
            ", ".join(f"{key}={_short(value)}" for key, value in each.settings.items()),
        )
    counts = [
        f"{len(found)} {word}"
        for word, found in (
            ("done", outcome.in_state("done")),
            ("dropped early", outcome.in_state("pruned")),
            ("failed or cut off", outcome.in_state("failed")),
        )
        if found
    ]
    output().print(table)
    output().print(", ".join(counts), soft_wrap=True)
    if timed:
        output().print("latency: median and quartiles of this machine, corrected for its drift", style="dim")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
