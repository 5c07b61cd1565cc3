"""No file makes a reader do anything else than read or refuse: coverage-guided fuzzing of all of them.

Claim: whatever the bytes, every reader of trabecula either returns or raises `UnreadableError` or
`ProblemError`, within `MEMORY` and `TIMEOUT`. Atheris (libFuzzer for Python) changes seeds so that ever more
branches of `trabecula` are taken; anything else that is raised, a hang or a flood ends the run of its target
and leaves the input in `--finds`. Finds become tests in tests/storage.

    python -m pip install atheris        # Linux and macOS, not in the extra `dev`
    python -m benchmarks.fuzz --seconds 300
    python -m benchmarks.fuzz --only request step --seconds 60
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import machine

MEMORY = 1500
"""Megabytes of address space that reading may take beyond what the imports took."""

TIMEOUT = 10
"""Seconds that one input may take."""

LONGEST = 6000
"""Bytes of an input."""

Target = Callable[[bytes], None]

PROBLEM = """\
trabecula: 1
name: small
domain: {size: [2, 1], elements: [8, 4], thickness: 0.1}
material: steel
supports: [{where: {x: 0}, fix: [x, y]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000]}]
regions: [{where: {x: [0, 0.3]}, as: solid}]
goal: {minimize: compliance, volume: 0.5}
options: {filter: density, seed: 3}
"""

CARD = {
    "file": "corrector-2d.onnx", "sha256": "0" * 64, "dimension": 2, "channels": 12, "answers": 1, "patch": 2,
    "multiple": 4, "settings": {"grey": 0.5, "penalty": 2.0, "ramp": 5, "sharpness": 2.0}, "story": {},
}  # fmt: skip
REQUEST = {"start": "uniform", "proposals": 8, "iterations": 3, "tolerance": 1e-4, "leaps": None}
ENTRY = {
    "id": "0" * 32, "key": "k", "kind": "2", "made": 1.0, "name": "n", "elements": [8, 4], "merit": 1.0,
    "compliance": 1.0, "volume": 0.5, "converged": True, "word": "verified", "start": "coarse",
    "seconds": 1.0, "version": "1", "bytes": 1,
}  # fmt: skip
STL = b"""solid a
facet normal 0 0 1
outer loop
vertex 0 0 0
vertex 1 0 0
vertex 0 1 0
endloop
endfacet
endsolid a
"""
HISTORY = b"iteration,penalty,compliance,kkt\n0,3.0,1.5e-3,\n1,3.0,inf,nan\n"


def solved(folder: Path) -> None:
    """A result and a checkpoint to begin with."""
    from trabecula.optimize import checkpoint as checkpoints
    from trabecula.problem import loads
    from trabecula.solve import solve

    checkpoints._PATIENCE = 0.0
    solve(loads(PROBLEM), start="uniform", iterations=4, out=folder, threads=1).save(folder)


def targets(folder: Path) -> dict[str, tuple[Target, list[bytes]]]:
    """Every reader with seeds; `folder` holds a result."""
    from trabecula.cli.request import SavedRequest
    from trabecula.discretisation import discretise
    from trabecula.learning.history.entry import entry_from
    from trabecula.optimize.analysis import Analysis
    from trabecula.problem import loads
    from trabecula.problem.stl import read_stl
    from trabecula.results.result import Result
    from trabecula.storage import reading
    from trabecula.surrogate.model import cards

    def file(name: str, read: Callable[[Path], object]) -> Target:
        def target(data: bytes) -> None:
            (folder / name).write_bytes(data)
            read(folder / name)

        return target

    def text(kind: Any) -> Target:
        return lambda data: void(loads(data.decode("utf-8", "replace"), kind))

    def entry(path: Path) -> object:
        return entry_from(path, reading.read_json(path, 100_000, infinite=True))

    result = (folder / "result.json").read_bytes()
    (checkpoint,) = (folder / "checkpoint").glob("*.npz")
    plain = json.dumps(as_json(loads(PROBLEM))).encode()
    whole = {name: (folder / name).read_bytes() for name in ("density.npy", "state.npz", "history.csv")}
    analysis = Analysis(discretise(loads(PROBLEM)), 1)
    return {
        "yaml": (text("yaml"), [PROBLEM.encode()]),
        "json": (text("json"), [plain]),
        "stl": (file("a.stl", read_stl), [STL, bytes(80) + b"\1\0\0\0" + bytes(50)]),
        "npy": (file("a.npy", lambda p: reading.read_array(p, reading.Form())), [whole["density.npy"]]),
        "npz": (file("a.npz", anything), [whole["state.npz"], checkpoint.read_bytes()]),
        "checkpoint": (file("a.npz", lambda p: step_of(p, analysis)), [checkpoint.read_bytes()]),
        "step": (lambda data: exchange(data, checkpoint, folder / "b.npz", analysis), [bytes(64)]),
        "result": (file("result.json", lambda p: void(Result.load(p.parent).to_html())), [result]),
        "history": (file("history.csv", reading.read_history), [HISTORY, whole["history.csv"]]),
        "request": (
            file("request.json", lambda p: SavedRequest.read(p.parent)),
            [json.dumps(REQUEST).encode()],
        ),
        "card": (file("manifest.json", lambda p: cards(p.parent)), [json.dumps({"a-2d": CARD}).encode()]),
        "entry": (file("entry.json", entry), [json.dumps(ENTRY).encode()]),
    }


def void(value: object) -> None:
    """Nothing."""


def as_json(problem: Any) -> object:
    """A problem as a tree."""
    from trabecula.problem import to_tree

    return to_tree(problem)


def anything(path: Path) -> object:
    """All arrays of an archive."""
    from trabecula.storage import reading

    return reading.read_named_arrays(path, lambda name: reading.Form(finite=False))


def step_of(path: Path, analysis: Any) -> object:
    """The step of a checkpoint of the uniform way."""
    from trabecula.design import Schedule
    from trabecula.optimize import checkpoint_format as checkpoint
    from trabecula.optimize.plan import Plan
    from trabecula.optimizers import make_optimizer

    plan = Plan(make_optimizer(analysis.discrete, 1, 0.7), Schedule(1.0, 3.0, 30))
    return checkpoint.read(path, analysis, plan, checkpoint.read_record(path).asked)


def exchange(data: bytes, source: Path, path: Path, analysis: Any) -> None:
    """A checkpoint whose parts are exchanged for others, with a record that vouches for them."""
    import atheris

    from trabecula.optimize import checkpoint_format as checkpoint

    given = atheris.FuzzedDataProvider(data)
    with np.load(source, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    record = json.loads(arrays.pop("record").tobytes())
    for name in sorted(arrays):
        how = given.ConsumeIntInRange(0, 9)
        if how == 1:
            del arrays[name]
        elif how == 2:
            arrays[name] = arrays[name].reshape(-1)[: given.ConsumeIntInRange(0, 40)]
        elif how == 3:
            arrays[name] = np.full_like(arrays[name], given.ConsumeFloat())
        elif how == 4:
            arrays[name] = arrays[name].astype(given.PickValueInList(["f2", "f4", "f8", "i8", "u1"]))
        elif how == 5:
            arrays[given.ConsumeUnicodeNoSurrogates(12) or "a"] = np.zeros(3)
        elif how == 6:
            arrays[name] = arrays[name][None]
    for name in sorted(record):
        if given.ConsumeIntInRange(0, 9) == 1:
            record[name] = given.PickValueInList([None, 1, -1, 2.5, "x", [], {}, True])
    record["arrays"] = checkpoint._kinds(arrays)
    record.pop("digest", None)
    record["digest"] = checkpoint._digest(record, arrays)
    np.savez(path, record=np.frombuffer(json.dumps(record).encode(), np.uint8), **arrays)
    step_of(path, analysis)


def limit_memory() -> None:
    """Let this process take only `MEMORY` more than it has."""
    lines = Path("/proc/self/status").read_text().splitlines()
    now = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY * 10**6, now + MEMORY * 10**6))


def fuzz(name: str, seconds: int, finds: Path) -> None:
    """Fuzz one reader in this process; does not return."""
    import atheris

    with atheris.instrument_imports(include=["trabecula"]):
        import trabecula.cli.request
        import trabecula.learning.history.entry
        import trabecula.results.result
        import trabecula.solve  # noqa: F401
    from trabecula.problem import ProblemError
    from trabecula.storage.reading import UnreadableError

    folder = Path(tempfile.mkdtemp())
    solved(folder)
    target, seeds = targets(folder)[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for k, seed in enumerate(seeds):
        (corpus / f"seed-{k}").write_bytes(seed)

    def once(data: bytes) -> None:
        try:
            target(data)
        except (UnreadableError, ProblemError) as error:
            assert "\n" not in str(error) or isinstance(error, ProblemError)

    longest = max(LONGEST, *(2 * len(seed) for seed in seeds))
    options = [f"-max_total_time={seconds}", f"-timeout={TIMEOUT}", f"-max_len={longest}", "-rss_limit_mb=0"]
    options += [f"-artifact_prefix={finds}/{name}-", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    limit_memory()
    atheris.Fuzz()


def row_of(name: str, said: str, code: int) -> dict[str, object]:
    """What libFuzzer's last words say."""
    executed = re.search(r"number_of_executed_units: (\d+)", said)
    covered = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    raised = re.findall(r"Uncaught Python exception: ===\s+(.*)", said)
    cov, features, corpus = covered[-1] if covered else ("0", "0", "0")
    return {
        "target": name,
        "inputs": int(executed[1]) if executed else 0,
        "branches": int(cov),
        "features": int(features),
        "corpus": int(corpus),
        "found": raised[0][:200] if raised else "" if code == 0 else f"exit {code}",
    }


def main() -> None:
    """Fuzz every reader in a process of its own and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--only", nargs="*", default=[], help="names of readers")
    parser.add_argument("--finds", type=Path, default=Path("out/fuzz"), help="folder for inputs that fail")
    parser.add_argument("--json", type=Path, help="write the table here too")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.finds.mkdir(parents=True, exist_ok=True)
    if asked.one:
        fuzz(asked.one, asked.seconds, asked.finds)
    names = asked.only or [
        *("yaml", "json", "stl", "npy", "npz", "checkpoint", "step", "result", "history", "request"),
        *("card", "entry"),
    ]
    rows = []
    for name in names:
        words = [sys.executable, "-m", "benchmarks.fuzz", "--one", name, "--seconds", str(asked.seconds)]
        words += ["--finds", str(asked.finds)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        rows.append(row_of(name, done.stdout + done.stderr, done.returncode))
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
        if rows[-1]["found"]:
            print((done.stdout + done.stderr)[-3000:])
    if asked.json:
        asked.json.write_text(
            json.dumps({"machine": machine(), "seconds": asked.seconds, "rows": rows}, indent=1)
        )
    sys.exit(any(row["found"] for row in rows))


if __name__ == "__main__":
    main()
