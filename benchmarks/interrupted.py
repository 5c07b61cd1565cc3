"""Claim: a solve that is killed at any moment, as often as may be, goes on to the same bits.

Random problems are solved once undisturbed, in a process of their own. Then the same solve is killed
(SIGKILL, SIGTERM or SIGINT, at random moments) and resumed, again and again, until it ends; `density.npy` and
`state.npz` must hold the same bits as before, `check` must agree, and no file may be left that is not a
result's.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import random_problems
from benchmarks.report import Cell, Figure, Table, arguments, finish
from trabecula.problem import dump

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CODES = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}
STARTS = ("coarse", "learned", "uniform")
SCALE = 0.35
"""Of the random problems' edges: a solve of some seconds."""


@dataclass(frozen=True)
class Outcome:
    """What became of one solve: how often it was killed, and what was wrong in the end, if anything."""

    name: str
    kills: int
    wrong: str


def command(*words: str | Path) -> list[str]:
    """The command line as a process."""
    return [sys.executable, "-m", "trabecula", *map(str, words)]


def bits(folder: Path) -> str:
    """Digest of what a design is in a result folder."""
    digest = hashlib.sha256()
    digest.update((folder / "density.npy").read_bytes())
    with np.load(folder / "state.npz", allow_pickle=False) as state:
        for name in sorted(state.files):
            digest.update(name.encode() + state[name].tobytes())
    return digest.hexdigest()


def disturb(words: list[str | Path], folder: Path, seconds: float, random: np.random.Generator) -> Outcome:
    """Run a solve, kill it at random moments and resume it until it ends by itself."""
    kills, resume = 0, False
    environment = dict(os.environ, TRABECULA_HISTORY="0")
    while True:
        line = command("solve", "--resume", folder, "-q") if resume else command(*words)
        process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=environment)
        sent = SIGNALS[int(random.integers(len(SIGNALS)))] if kills < 12 else None
        if sent is not None:
            time.sleep(float(random.uniform(0.15, max(0.3, seconds))))
            process.send_signal(sent)
        said = process.communicate(timeout=600)[1]
        code = process.returncode
        # Before the command line has begun its work a signal ends the interpreter as any other program.
        if sent is not None and code in (CODES[sent], -sent):
            kills += 1
            resume = resume or (folder / "request.json").exists()
            continue
        # A signal may come when the work is done; anything but the codes of a finished solve is a fault.
        return Outcome(folder.name, kills, "" if code in (0, 3) else f"exit {code}: {said.strip()[-200:]}")


def compare_files(place: Path) -> str:
    """What files one of the two folders has and the other has not; nothing where they are the same."""
    whole, killed = ({path.name for path in (place / each).iterdir()} for each in ("whole", "killed"))
    return "" if whole == killed else f"other files: {sorted(whole ^ killed)}"


def main() -> None:
    """Kill, resume, compare, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    count = 3 if asked.quick else asked.count
    random, outcomes = np.random.default_rng(asked.seed), []
    environment = dict(os.environ, TRABECULA_HISTORY="0")
    for k in range(count):
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            number = int(random.integers(10_000))
            problem = place / "problem.yaml"
            problem.write_text(dump(random_problems.get(number, SCALE)))
            start = STARTS[k % len(STARTS)]
            words: list[str | Path] = [
                "solve",
                problem,
                "--start",
                start,
                "-q",
                "--threads",
                str(asked.threads),
            ]
            clock = time.monotonic()
            line = command(*words, "--out", place / "whole")
            subprocess.run(line, check=False, env=environment, capture_output=True)
            seconds = time.monotonic() - clock
            found = disturb([*words, "--out", place / "killed"], place / "killed", 0.7 * seconds, random)
            wrong = found.wrong
            if not wrong and bits(place / "whole") != bits(place / "killed"):
                wrong = "other bits"
            names = [{p.name for p in (place / each).iterdir()} for each in ("whole", "killed")]
            if not wrong and names[0] != names[1]:
                wrong = f"other files: {sorted(names[0] ^ names[1])}"
            checked = subprocess.run(
                command("check", place / "killed"),
                check=False,
                env=environment,
                capture_output=True,
                text=True,
            )
            if not wrong and checked.returncode:
                wrong = f"check: {checked.stderr.strip()[-200:]}"
            outcomes.append(Outcome(f"{number} {start}", found.kills, wrong))
            print(outcomes[-1], flush=True)
    right = sum(not each.wrong for each in outcomes)
    figures = [
        Figure(f"solves that ended in the same bits, of {count}", right, "", count, True),
        Figure("times that they were killed", sum(each.kills for each in outcomes)),
    ]
    rows: list[tuple[Cell, ...]] = [(each.name, each.kills, each.wrong or "same bits") for each in outcomes]
    finish(
        "interrupted",
        __doc__ or "",
        asked,
        figures,
        [Table("Solves", ("solve", "kills", "end"), tuple(rows))],
    )


if __name__ == "__main__":
    main()
