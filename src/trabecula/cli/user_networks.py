"""Networks of one's own on the command line: fine-tuned on past solves, rolled back, listed."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from trabecula.cli.console import output, percent, print_json
from trabecula.cli.edge import fail, say

if TYPE_CHECKING:
    from trabecula.learning.fine_tuning import FineTuningResult, GateFigures
    from trabecula.learning.loop import TrainingProgress
    from trabecula.surrogate import Card
    from trabecula.surrogate.user_networks import Version


def refine(
    kind: str,
    dimension: int | None,
    data: Path | None,
    steps: int | None,
    judge: int | None,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fine-tune the network that ships on past solves, say what the gate found, and install what passed."""
    from trabecula.cli.history import explain_history_errors
    from trabecula.learning.fine_tuning import STEPS, FineTuningRequest, fine_tune
    from trabecula.learning.history import open_history

    count = STEPS if steps is None else steps
    wish = FineTuningRequest(kind, dimension, data, count, 8 if judge is None else judge, seed)

    def report(progress: TrainingProgress) -> None:
        if not quiet:
            say(
                f"step {progress.step}/{count}  {progress.seconds:.0f} s  loss {progress.loss:.4f}  "
                f"past solves held out: {progress.error:.4f} (before the network {progress.base:.4f})"
            )

    with explain_history_errors():
        try:
            outcome = fine_tune(wish, open_history(), lambda text: None if quiet else say(text), report)
        except ValueError as error:
            fail(str(error))
    if as_json:
        print_json(outcome.to_json())
    elif not quiet:
        _print(outcome)


@contextmanager
def say_warnings() -> Iterator[None]:
    """Say warnings of ours in one line and once, as everything else is said.

    That a network of one's own is passed over, or that a solve goes on with other arithmetic.
    """
    from trabecula.optimize.checkpoint import ResumeWarning
    from trabecula.surrogate import NetworkWarning

    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, NetworkWarning | ResumeWarning):
                counts[str(message)] += 1
                if counts[str(message)] == 1:
                    say(f"trabecula: note: {message}")
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always", NetworkWarning)
        warnings.simplefilter("always", ResumeWarning)
        yield
    for text, count in counts.items():
        if count > 1:
            say(f"trabecula: note: {count} times in all: {text}")


def withdraw(kind: str, dimension: int | None, as_json: bool, quiet: bool) -> None:
    """Go back one version of a network, and at last to the one that ships."""
    from trabecula.surrogate import user_networks

    names = [f"{kind}-{each}d" for each in ((2, 3) if dimension is None else (dimension,))]
    standing = [name for name in names if user_networks.latest(name) is not None]
    if len(standing) > 1:
        fail(f"there are {' and '.join(standing)} of your own; --dimension says which")
    if not standing:
        fail(f"there is no {' or '.join(names)} of your own; what ships is in use")
    withdrawn, now = user_networks.roll_back(standing[0])
    if as_json:
        print_json({"name": standing[0], "withdrawn": withdrawn, "in_use": now or "shipped"})
    elif not quiet:
        back = f"version {now}" if now else "the one that ships"
        say(f"{standing[0]}: version {withdrawn} withdrawn, {back} is in use")


def networks(as_json: bool) -> None:
    """List the versions of all networks of one's own."""
    from trabecula.surrogate import user_networks

    found = [version for name in user_networks.names() for version in user_networks.versions(name)]
    if as_json:
        rows = [_row(version) for version in found]
        print_json({"folder": str(user_networks.folder()), "on": user_networks.is_on(), "networks": rows})
        return
    for version in found:
        row = _row(version)
        text = f"{row['name']} {row['version']}  {row['state']}  from {row['past_solves']} past solves"
        output().print(text, markup=False, soft_wrap=True)
    if not found:
        output().print("no networks of your own; what ships is in use", soft_wrap=True)


def _row(version: Version) -> dict[str, object]:
    from trabecula.storage.reading import UnreadableError
    from trabecula.surrogate import user_networks

    try:
        card: Card | None = user_networks.card_of(version)
    except (UnreadableError, KeyError):
        card = None
    solves = None if card is None else card.story.get("past solves")
    newest = user_networks.latest(version.name)
    stands = "in use" if newest is not None and newest.number == version.number else "replaced"
    state = user_networks.WITHDRAWN if version.withdrawn else stands
    return {
        "name": version.name,
        "version": version.number,
        "state": state if card is not None else "damaged",
        "past_solves": solves.get("trained on") if isinstance(solves, dict) else None,
        "folder": str(version.path),
    }


def _print(outcome: FineTuningResult) -> None:
    """The gate's figures, and what comes of them."""
    verdict = outcome.verdict
    sets = ((verdict.own, "past solves held out"), (verdict.fixed, "random problems"))
    console = output()
    for (figures, what), count in zip(sets, verdict.problems, strict=True):
        console.print(f"{count} {what}, solves to within 1 % and 0.5 %:", markup=False, soft_wrap=True)
        for name, each in figures.items():
            console.print(f"  {name:<12}{_figures(each)}", markup=False, soft_wrap=True)
    name = outcome.card.name
    if verdict.is_passed:
        kind = name.rpartition("-")[0]
        text = f"installed as {outcome.card.label}; trabecula train {kind} --roll-back takes it away"
    else:
        text = f"not installed: {'; '.join(verdict.objections)}"
    console.print(text, markup=False, soft_wrap=True)


def _figures(found: GateFigures) -> str:
    taken = "" if found.taken is None else f", {percent(found.taken)} taken"
    return f"{found.solves:.1f}, ends {100 * found.end:.2f} % above the best{taken}"
