"""`trabecula solve`: from a problem file to a certified design."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import continuing, fail, say
from trabecula.cli.loading import loading
from trabecula.cli.options import STARTS, LengthUnits, start_name

if TYPE_CHECKING:
    from trabecula.cli.request import SavedRequest
    from trabecula.cli.watch import Animation, Watch
    from trabecula.discretisation.discrete import DiscreteProblem
    from trabecula.problem import Problem
    from trabecula.results.result import Result
    from trabecula.status import NoDesignError
    from trabecula.storage.owned import Owned
    from trabecula.strategy.progress import Progress

GIGABYTE = 1e9
REMEDY = "move it away or choose another folder with --out"


def solve(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE|NAME", help="Problem file, or name of a named problem.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar=STARTS,
            parser=start_name,
            help="Where to begin: coarse (default) searches on coarse grids first.",
        ),
    ] = None,
    proposals: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=10_000,
            help="Designs tried on the coarsest grid; else 16 (grey: 8, in doubt 24).",
        ),
    ] = None,
    leap: Annotated[
        bool | None, typer.Option("--leap/--no-leap", help="Let a network leap ahead (--start learned).")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Result folder, else out/NAME.")] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=100_000, help="Most iterations on the full grid.")
    ] = None,
    tolerance: Annotated[
        float | None, typer.Option(metavar="T", help="Stop when the design is stationary to this.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with an interrupted solve in this folder.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1024, help="Threads, else OMP_NUM_THREADS, else all cores."),
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(metavar="GB", help="Refuse problems that need more memory than this.")
    ] = None,
    stl: Annotated[bool, typer.Option("--stl/--no-stl", help="Write the surface, design.stl.")] = False,
    vti: Annotated[bool, typer.Option("--vti/--no-vti", help="Write design.vti for ParaView.")] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = False,
    exports: Annotated[
        list[str] | None,
        typer.Option("--export", metavar="NAME", help="Write any export by its name; repeatable."),
    ] = None,
    units: Annotated[LengthUnits, typer.Option(help="Unit of the numbers in the STL.")] = LengthUnits.mm,
    history: Annotated[
        bool | None,
        typer.Option("--history/--no-history", help="Learn from and keep in the history on this machine."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep a picture current while it works, progress.png.")
    ] = False,
    gif: Annotated[bool, typer.Option("--gif", help="Write how the design came about, design.gif.")] = False,
) -> None:
    """Solve a problem, prove what was reached, and save the result.

    Exit code 0: solved; 2: bad input; 3: stopped before convergence, the result is kept;
    130 and 143: interrupted or terminated, --resume goes on.
    """
    with loading():
        from trabecula.cli.export import choose
        from trabecula.cli.past_design import is_wanted, remember
        from trabecula.cli.request import SavedRequest
        from trabecula.cli.watch import picture_names

    if tolerance is not None and not 0 < tolerance < 1:
        fail(f"--tolerance is {tolerance}; it must be above 0 and below 1")
    if max_memory is not None and not (math.isfinite(max_memory) and max_memory > 0):
        fail(f"--max-memory is {max_memory}; it must be a number above 0")
    asked = SavedRequest(start, proposals, iterations, tolerance, leap)
    memory = None if max_memory is None else max_memory * GIGABYTE
    learns = is_wanted(history)
    formats = choose({"stl": stl, "vti": vti, "report": report}, exports)
    pictures = picture_names(watch, gif)
    with ExitStack() as stack:  # nobody else writes into the folder until the end
        if resume is not None:
            job = _resumed(file, resume, out, asked, pictures, memory, formats, stack)
        else:
            job = _fresh(file, out, asked, pictures, memory, threads, quiet, learns, formats, stack)
        go_on = f"what was reached is kept; go on with: trabecula solve --resume {job.folder}"
        stack.enter_context(continuing(go_on))
        watchers = _watchers(job, pictures)
        result = job.finished or _run(job, watchers, threads, quiet, as_json)
        _keep(job, result, formats, units, quiet)
        _finish(watchers, result, quiet)
    if learns and job.finished is None:
        remember(result, quiet)
    _tell(result, job.folder, as_json, quiet)


@dataclass(frozen=True)
class _Job:
    problem: Problem
    folder: Path
    request: SavedRequest
    resume: bool
    held: Owned | None
    """The folder; None where nothing is written into it."""
    finished: Result | None = None


def _fresh(
    file: str | None,
    out: Path | None,
    request: SavedRequest,
    pictures: list[str],
    max_memory: float | None,
    threads: int | None,
    quiet: bool,
    learns: bool,
    formats: dict[str, str],
    stack: ExitStack,
) -> _Job:
    """A solve from the beginning; what an earlier result left in its folder is cleared."""
    from trabecula.cli.past_design import PAST, offer
    from trabecula.cli.problems import get
    from trabecula.cli.request import REQUEST
    from trabecula.problem import load, with_files
    from trabecula.results.result_folder import (
        FILES,
        PROBLEM,
        check_checkpoints,
        clear,
        save_problem,
    )
    from trabecula.results.result_folder import check as check_names
    from trabecula.results.result_folder import forget as forget_checkpoints
    from trabecula.strategy.names import DEFAULT

    if file is None:
        fail("give a problem file or the name of a named problem (`trabecula problems` lists them)")
    path = Path(file)
    named = not path.is_file() and path.suffix == "" and path.parent == Path()
    problem = get(file) if named else load(path, max_memory=max_memory)
    folder = out or Path("out") / path.stem
    if not named and (folder / PROBLEM).resolve() == path.resolve():
        fail(f"--out {folder} would overwrite the problem file {path}; choose another folder")
    if folder.exists() and not folder.is_dir():
        fail(f"--out {folder} is a file; choose another folder")
    discrete = _announce(problem, max_memory, threads, quiet)
    held = _held(folder, stack)
    copies = check_names(problem, held, [*FILES, REQUEST, PAST, *formats.values()])
    check_checkpoints(held)
    held.check(pictures)
    held.sweep()
    clear(held, problem, (PROBLEM, REQUEST))
    forget_checkpoints(folder)
    with held.batch():
        save_problem(problem, held, copies)
        request.write(held)
    with loading():
        from trabecula.strategy.table import start_of
    if learns and start_of(request.start or DEFAULT).searches:
        offer(discrete, held, quiet)
    problem = with_files(problem, {name: str(folder / copy) for name, copy in copies.items()})
    return _Job(problem, folder, request, False, held)


def _held(folder: Path, stack: ExitStack) -> Owned:
    from trabecula.cli.export import note
    from trabecula.results.result_folder import KIND
    from trabecula.storage.owned import hold

    held = stack.enter_context(hold(folder, KIND, remedy=REMEDY))
    note(held)
    return held


def _announce(
    problem: Problem, max_memory: float | None, threads: int | None, quiet: bool
) -> DiscreteProblem:
    """Check the problem before anything is touched; say what is worth knowing and what it will cost."""
    with loading():
        from trabecula.cli.console import number, seconds
        from trabecula.discretisation import prepare
        from trabecula.physics import thread_count
        from trabecula.physics.pace import pace
        from trabecula.problem import estimate

    discrete, cautions = prepare(problem, max_memory)
    for caution in cautions:
        say(f"trabecula: note: {caution}")
    if not quiet:
        count = thread_count(threads)
        cost = estimate(problem, pace(), count)
        on = "1 thread" if count == 1 else f"{count} threads"
        say(f"about {seconds(cost.seconds)} and {number(cost.memory_bytes / GIGABYTE, 'GB', 2)} on {on}")
    return discrete


def _resumed(
    file: str | None,
    folder: Path,
    out: Path | None,
    asked: SavedRequest,
    pictures: list[str],
    max_memory: float | None,
    formats: dict[str, str],
    stack: ExitStack,
) -> _Job:
    """A solve that goes on where it stopped: the same problem, asked in the same way."""
    from trabecula.cli.past_design import PAST, forget
    from trabecula.cli.request import REQUEST, SavedRequest
    from trabecula.problem import load
    from trabecula.results.result import Result
    from trabecula.results.result_folder import (
        CHECKPOINT,
        FILES,
        PROBLEM,
        RESULT,
        clear,
        load_problem,
        same_problem,
    )
    from trabecula.results.result_folder import check as check_names
    from trabecula.results.result_folder import forget as forget_checkpoints
    from trabecula.storage.lock import LOCK

    if out is not None and out.resolve() != folder.resolve():
        fail(f"--resume {folder} goes on in that folder; leave --out {out} away")
    problem = load_problem(folder, max_memory=max_memory)
    if file is not None and not same_problem(load(file, max_memory), problem):
        fail(f"{file} is not the problem in {folder}; leave it away to go on, or --resume to begin again")
    earlier = SavedRequest.read(folder)
    for name in ("start", "proposals"):
        new, old = getattr(asked, name), getattr(earlier, name)
        if new is not None and new != old:
            fail(f"--{name} {new} differs from the interrupted solve ({old or 'default'}); leave it away")
    request = asked.over(earlier)
    finished = Result.load(folder, max_memory=max_memory) if (folder / RESULT).is_file() else None
    if finished is not None and (finished.converged or request == earlier):
        # Killed after the result was safe and before what led to it was removed.
        is_cut_off = finished.converged and any((folder / each).exists() for each in (CHECKPOINT, PAST, LOCK))
        held = _held(folder, stack) if formats or pictures or is_cut_off else None
        if held is not None:
            check_names(problem, held, formats.values())
        if held is not None and is_cut_off:
            held.sweep()
            forget_checkpoints(folder)
            forget(held)
        return _Job(problem, folder, request, True, held, finished)
    held = _held(folder, stack)
    held.check(pictures)
    check_names(problem, held, [*FILES, REQUEST, *formats.values()])
    held.sweep()
    clear(held, problem, (PROBLEM, REQUEST, PAST))
    if request != earlier or not (folder / REQUEST).is_file():
        request.write(held)
    return _Job(problem, folder, request, True, held)


def _watchers(job: _Job, pictures: list[str]) -> list[Watch | Animation]:
    """What draws while the solve works, and once more at its end."""
    from trabecula.cli.watch import ANIMATION, PICTURE, Animation, Watch

    makers: dict[str, type[Watch | Animation]] = {PICTURE: Watch, ANIMATION: Animation}
    if job.held is None:
        return []
    job.held.check(pictures)
    return [makers[name](job.problem, job.held) for name in pictures]


def _in_units(step: Progress, problem: Problem) -> Progress:
    """A step whose compliance is in the problem's units, to be shown."""
    from trabecula.results.spoken_units import compliance_of

    if problem.units == "SI":
        return step
    return replace(step, compliance=compliance_of(problem, step.compliance))


def _run(
    job: _Job, watchers: list[Watch | Animation], threads: int | None, quiet: bool, as_json: bool
) -> Result:
    with loading():
        from trabecula.cli.past_design import read_offer
        from trabecula.cli.progress import reporting
        from trabecula.cli.user_networks import say_warnings
        from trabecula.solve import solve as run
        from trabecula.status import NoDesignError

    try:
        with say_warnings(), reporting(quiet) as report:

            def progress(step: Progress) -> None:
                step = _in_units(step, job.problem)
                report(step)
                for watcher in watchers:
                    watcher(step)

            return run(
                job.problem,
                **job.request.arguments(),  # type: ignore[arg-type]
                threads=threads,
                out=job.folder,
                resume=job.resume,
                also=read_offer(job.folder),
                progress=progress,
            )
    except NoDesignError as error:
        if as_json:
            _print_nothing(job, error)
        raise


def _print_nothing(job: _Job, error: NoDesignError) -> None:
    """The JSON object of a solve that ended without a design: the same keys, and no untrue figure."""
    from trabecula.cli.console import print_json
    from trabecula.strategy.names import DEFAULT
    from trabecula.version import VERSION

    known = {
        "name": job.problem.name,
        "version": VERSION,
        "word": None,
        "status": error.status.value,
        "start": job.request.start or DEFAULT,
        "machine": None,
        "converged": False,
        "elements": list(job.problem.domain.elements),
        "out": str(job.folder),
        "message": str(error),
    }
    unknown = ("iterations", "solves", "seconds", "compliance", "volume", "threads", "certificate")
    print_json(known | dict.fromkeys(unknown) | {"stages": [], "learned": []})


def _keep(job: _Job, result: Result, formats: dict[str, str], units: LengthUnits, quiet: bool) -> None:
    from trabecula.cli.console import waiting
    from trabecula.cli.export import write
    from trabecula.cli.past_design import forget

    if job.finished is None:
        with waiting("saving", quiet):
            result.save(job.folder)
        if result.converged and job.held is not None:
            forget(job.held)
    if job.held is not None:
        write(result, job.held, formats, units, quiet)


def _finish(watchers: list[Watch | Animation], result: Result, quiet: bool) -> None:
    """The last pictures, once the result is safe."""
    from trabecula.cli.console import waiting

    if watchers:
        with waiting("drawing", quiet):
            for watcher in watchers:
                watcher.finish(result)


def _tell(result: Result, folder: Path, as_json: bool, quiet: bool) -> None:
    from trabecula.cli.console import print_json
    from trabecula.cli.summary import print_summary
    from trabecula.status import EXPLANATIONS

    if as_json:
        print_json(result.to_json(folder))
    elif not quiet:
        print_summary(result, folder)
    outcome = EXPLANATIONS[result.status]
    if outcome.code:
        go_on = f"; trabecula solve --resume {folder} --iterations N goes on" if result.can_go_on else ""
        say(f"trabecula: {result.status}: {outcome.sentence} ({result.iterations} iterations){go_on}")
        raise typer.Exit(outcome.code)
