"""Claim: at 48x24x24 a design iteration is at least 20 times faster than pyMOTO's (conjugate gradients with
its geometric multigrid) and 150 times faster than pytopo3d's (Pardiso).

The same cantilever for all: volume 0.15, penalty 3, filter 1.5 elements, OC; solves to 1e-5 and contrast 1e-6
for pyMOTO and ours (pytopo3d solves directly, with its own load and contrast 1e-9). A process a run, all with
the same number of threads, in turn; the ratios are medians over the rounds. The others live in an environment
of their own, `.venv-peers`, made here with pip when it is missing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.report import ROOT, Figure, Table, arguments, finish, parse_size, size_text

PEERS = ROOT / ".venv-peers"
PYTHON = PEERS / "bin" / "python"
PACKAGES = ("pymoto", "pytopo3d")
GOALS = {"pymoto": 20.0, "pytopo3d": 150.0}


def install() -> dict[str, str]:
    """Make the peers' environment if need be; versions of the packages in it."""
    if not PYTHON.exists():
        print(f"making {PEERS.name} with {', '.join(PACKAGES)}", file=sys.stderr)
        venv.create(PEERS, with_pip=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    done = subprocess.run([PYTHON, "-c", code, *PACKAGES], check=True, capture_output=True, text=True)
    return dict(zip(PACKAGES, done.stdout.split(), strict=True))


def run(name: str, elements: tuple[int, ...], iterations: int, threads: int) -> dict[str, float]:
    """One runner in a process of its own."""
    script = Path(__file__).parent / f"{name}_cantilever.py"
    ours = [sys.executable, "-m", "benchmarks.peers.trabecula_cantilever"]
    code = ours if name == "trabecula" else [str(PYTHON), str(script)]
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [*code, *map(str, elements), str(iterations)],
        cwd=ROOT,
        env={**os.environ, **limits},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{name}: {found['seconds']:.4f} s per iteration", file=sys.stderr)
    return found


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=25, help="design iterations of pyMOTO and ours")
    parser.add_argument("--direct", type=int, default=4, help="design iterations of pytopo3d")
    parser.add_argument("--size", type=parse_size, help="NXxNYxNZ, divisible by 8; default 48x24x24")
    asked = parser.parse_args()
    elements = asked.size or ((16, 8, 8) if asked.quick else (48, 24, 24))
    counts = {"trabecula": asked.iterations, "pymoto": asked.iterations, "pytopo3d": asked.direct}
    found = install()
    rounds = [
        {name: run(name, elements, count, asked.threads) for name, count in counts.items()}
        for _ in range(asked.rounds)
    ]
    size = size_text(elements)
    figures = [
        Figure(
            f"design iteration against {name} {found[name]}, {size}",
            statistics.median(r[name]["seconds"] / r["trabecula"]["seconds"] for r in rounds),
            "x",
            GOALS[name],
            larger=True,
            note="times faster",
        )
        for name in PACKAGES
    ]
    rows = tuple(
        (
            f"{name} {found.get(name, '')}".strip(),
            counts[name],
            statistics.median(r[name]["seconds"] for r in rounds),
            rounds[-1][name]["compliance"],
        )
        for name in counts
    )
    columns = ("package", "iterations", "s per iteration", "compliance at the last")
    finish("peers", __doc__ or "", asked, figures, [Table(f"3-D cantilever {size}", columns, rows)])


if __name__ == "__main__":
    main()
