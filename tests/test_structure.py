"""The house keeps its plan: who imports whom, how long a file is, what is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import trabecula

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trabecula"
FILES = sorted(
    path for path in SOURCE.rglob("*.py") if path.name != "_version.py"
)  # that one the build writes
NAMES = [str(path.relative_to(SOURCE)) for path in FILES]

FLOORS = (
    {"numerics", "version", "status", "onnx_runtime"},
    {"storage"},
    {"problem"},
    {"discretisation"},
    {"physics"},
    {"design", "surrogate"},
    {"responses"},
    {"optimizers"},
    {"optimize"},
    {"part"},
    {"certificate"},
    {"surface"},
    {"drawing"},
    {"export"},
    {"starts"},
    {"results"},
    {"strategy"},
    {"solve"},
    {"gallery"},
    {"taste"},
    {"nn"},
    {"learning"},
    {"cli"},
)
"""Rooms from the ground up: every one may import its own floor and those below."""

MORE = {
    "nn": {"nn", "storage", "onnx_runtime"},  # networks in general know nothing of structures
    "surface": {"surface", "numerics"},  # arrays only, as are pictures and files
    "drawing": {"drawing", "surface", "numerics", "storage"},
    "export": {"export", "drawing", "surface", "problem", "numerics", "storage"},  # the table, the STL record
    "version": {"_version"},
    "__init__": {
        *("design", "export", "gallery", "optimizers", "part", "physics", "problem", "responses", "results"),
        *("solve", "status"),
        *("strategy", "version"),
    },
    "__main__": {"cli"},
}
"""Rooms that may import less than their floor allows, or stand on none."""


def allowed(room: str) -> set[str]:
    """Rooms that a room may import."""
    if room in MORE:
        return MORE[room]
    height = next(i for i, floor in enumerate(FLOORS) if room in floor)
    return set().union(*FLOORS[: height + 1])


LONGEST = 500


def imports(tree: ast.Module) -> Iterator[str]:
    """Rooms of ours that a file imports, wherever in it."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "trabecula":
            names = [f"trabecula.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
        yield from (name.split(".")[1] for name in names if name.startswith("trabecula."))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_run_downwards_only(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    used = {name for name in imports(parsed(path)) if not name.startswith("_core_")}
    assert used <= allowed(room), f"{room} may not import {used - allowed(room)}"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    inner
                    for inner in node.body
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_")
                )


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = parsed(path)
    assert ast.get_docstring(tree), "the file itself"
    assert not [node.name for node in public(tree) if not ast.get_docstring(node)]


VERB_ROOMS = sorted({name.split("/")[0].removesuffix(".py") for name in NAMES})
"""Rooms whose functions are verbs or nouns: all of them."""

NO_PARTICIPLES = {"embed", "feed", "need", "seed", "speed"}
"""Verbs and nouns that end as participles do."""

IRREGULAR = {
    *(
        "apart",
        "begun",
        "built",
        "chosen",
        "cut",
        "drawn",
        "found",
        "frozen",
        "given",
        "gone",
        "held",
    ),
    *("hidden", "kept", "known", "left", "lent", "lost", "made", "meant", "met", "paid", "put", "rebuilt"),
    *(
        "said",
        "seen",
        "sent",
        "shown",
        "shut",
        "sold",
        "spent",
        "split",
        "spread",
        "taken",
        "taught",
        "thought",
    ),
    *("told", "undone", "won", "worn", "written"),
}
"""Participles without an "ed", though some are verbs or nouns as well; a bound is a noun everywhere here."""

STATES = {
    "cli/progress.py:finished": "a question about a step, which the room of solving renames",
    "nn/profile/latency.py:spread": "a noun: how far the quartiles lie apart",
    "nn/distill/outputs.py:spread": "a noun: the standard deviation of an ensemble",
    "certificate/bound.py:reason_unbounded": "a noun, the reason; unbounded is what the problem is",
    "design/filters/smoothing.py:normalised": "makes a filter; the room of design renames it",
    "responses/design_point.py:fixed": "held degrees of freedom, as the discrete problem calls them",
    "results/result.py:converged": "a key of result.json",
    "strategy/side_by_side.py:put": "a verb: puts into a queue",
}
"""Names that end as participles do, each with the reason why it stays."""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public functions of a module, and public methods and properties of its classes, private ones' too."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not each.name.startswith("_"):
                yield each


def is_participle(name: str) -> bool:
    """Whether a name ends in a past participle, as `claimed` does; a question, as `is_held`, may."""
    if name.startswith(("is_", "are_", "has_")):
        return False
    word = name.rpartition("_")[2]
    return word in IRREGULAR or (word.endswith("ed") and word not in NO_PARTICIPLES)


def participles(room: str) -> set[str]:
    """Functions of a room that are called by participles, as `file:name`."""
    return {
        f"{path.relative_to(SOURCE)}:{node.name}"
        for path in FILES
        if path.relative_to(SOURCE).parts[0].removesuffix(".py") == room
        for node in functions(parsed(path))
        if is_participle(node.name)
    }


@pytest.mark.parametrize("room", VERB_ROOMS)
def test_functions_are_verbs_or_nouns_and_never_participles(room: str) -> None:
    wrong = participles(room) - set(STATES)
    assert not wrong, f"say what they do or what they return: {', '.join(sorted(wrong))}"


def test_every_name_that_may_be_a_participle_is_there() -> None:
    there = {name for room in VERB_ROOMS for name in participles(room)}
    assert set(STATES) <= there, f"no longer needed: {set(STATES) - there}"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("claimed", True), ("solves_begun", True), ("is_held", False), ("claim", False), ("trial_seed", False)],
)
def test_participles_are_told_from_verbs_and_nouns(name: str, wrong: bool) -> None:
    assert is_participle(name) is wrong


SHARED_CLASS_NAMES: set[str] = set()
"""Names that two classes may share."""


def test_a_class_name_means_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for path in FILES:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(path.relative_to(SOURCE)))
    shared = {name: files for name, files in found.items() if len(files) > 1}
    assert set(shared) <= SHARED_CLASS_NAMES, shared


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_is_unpickled_or_evaluated(path: Path) -> None:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
            assert any(keyword.arg == "allow_pickle" for keyword in node.keywords)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_onnx_runtime_is_imported_in_one_place_only(path: Path) -> None:
    if path.name == "onnx_runtime.py":
        return  # it turns the telemetry off first
    for node in ast.walk(parsed(path)):
        named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        named += [str(node.value)] if isinstance(node, ast.Constant) and node.value == "onnxruntime" else []
        assert "onnxruntime" not in {name.split(".")[0] for name in named}


def test_importing_the_package_is_light() -> None:
    heavy = ("scipy", "matplotlib", "typer", "rich", "numpy", "yaml")
    code = f"import sys, trabecula; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_the_help_needs_no_mechanics() -> None:
    code = (
        "import sys\n"
        "from trabecula.cli.app import app\n"
        "try:\n    app(['solve', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'scipy', 'matplotlib', 'yaml') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_a_solve_needs_no_scipy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from trabecula.cli.app import app\n"
        "try:\n"
        f"    app(['solve', '{ROOT}/examples/bridge.yaml', '--out', '{tmp_path}/out', '--iterations', '1'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('scipy', 'matplotlib', 'onnxruntime', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
    assert (tmp_path / "out" / "design.png").is_file()


def test_a_solve_loads_nothing_that_only_others_need(tmp_path: Path) -> None:
    unneeded = {
        "rich.console": "a quiet solve says nothing",
        "rich.markdown": "help and errors",
        "typer.rich_utils": "help and errors",
        "urllib.request": "escapes of XML, in exports",
        "ssl": "the same",
        "concurrent.futures.process": "sweeps",
        "trabecula.strategy.sweep": "sweeps",
        "scipy": "checks",
        "matplotlib": "nothing of ours",
        "onnxruntime": "networks",
        "manifold3d": "exact faces of solids",
        "torch": "training",
        "trabecula.learning": "training and the history",
        "trabecula.nn": "training",
        "trabecula.drawing.space": "pictures of solids",
        "trabecula.drawing.render": "pictures of solids",
    }
    problem = ROOT / "examples/bridge.yaml"
    words = ["trabecula", "solve", str(problem), "--out", str(tmp_path / "out"), "--iterations", "1"]
    code = (
        "import sys\n"
        "from trabecula.cli import main\n"
        f"sys.argv = {[*words, '--quiet', '--no-history']}\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print([m for m in {list(unneeded)} if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
    assert (tmp_path / "out" / "design.png").is_file()


def test_rooms_stay_functions_where_their_modules_are_imported() -> None:
    from trabecula.drawing import picture
    from trabecula.surface import surface

    assert callable(picture) and callable(surface)


def test_the_house_has_few_rooms_and_fewer_loose_files() -> None:
    rooms = [path for path in SOURCE.iterdir() if (path / "__init__.py").is_file()]
    loose = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__", "_version"}
    assert len(rooms) <= 23, sorted(room.name for room in rooms)
    assert len(loose) <= 4, sorted(loose)


def test_solve_stays_a_function_when_its_module_is_imported() -> None:
    import trabecula.solve

    assert callable(trabecula.solve)
    assert trabecula.solve is sys.modules["trabecula.solve"].solve


@pytest.mark.parametrize("name", trabecula.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    assert getattr(trabecula, name) is not None
    assert name in dir(trabecula)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        trabecula.nonsense  # noqa: B018


def test_the_version_is_the_same_everywhere() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert trabecula.__version__ in (declared, "0+unknown")  # unknown: run from sources, not installed
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited and cited[1] == declared
    assert f"## {declared}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_a_sound_problem(path: Path) -> None:
    from trabecula.discretisation import check, discretise

    problem = trabecula.load(path)
    check(problem, discretise(problem))


def test_no_compiled_file_is_kept_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert not [name for name in listed.stdout.splitlines() if name.endswith((".so", ".o", ".pyc"))]
