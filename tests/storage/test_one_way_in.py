"""Every reader goes through `trabecula.storage`: the raw calls are made there and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "trabecula"
READERS = {
    "read_text", "read_bytes", "read_array", "load", "loads", "ZipFile", "open", "fdopen", "fromfile",
    "loadtxt", "genfromtxt", "memmap", "reader", "DictReader", "load_from_string", "InferenceSession",
    "connect",
}  # fmt: skip
MODULES = {"np", "numpy", "json", "torch", "zipfile", "csv", "yaml", "onnx", "os", "io", "sqlite3", "pickle"}
MODULES |= {
    "onnxruntime",
    "onnx_runtime()",
    "np.lib.format",
    "numpy.lib.format",
    "onnx.external_data_helper",
    "gzip",
    "tarfile",
}

ALLOWED = {
    "cli/streams.py": {"os.open", ".open"},  # the null device, for a closed pipe
    "storage/writing.py": {"zipfile.ZipFile", ".open", "os.open"},  # to write, and to sync a folder
    "export/target.py": {".open"},  # to write
    "export/threemf.py": {"zipfile.ZipFile", ".open"},  # to write
    "learning/store.py": {"zipfile.ZipFile"},  # to write
    "export/report.py": {".read_text"},  # the style sheet that ships
    "gallery/page/__init__.py": {".read_text"},  # the files of the page that ship
    "gallery/pictures.py": {".open"},  # pictures that are in memory
    "nn/tune/storage.py": {"os.open"},  # a folder, to lock it
    "learning/history/store.py": {"sqlite3.connect"},  # behind `_look_at` and `_distrust`
    "surrogate/model.py": {"onnxruntime.InferenceSession"},  # bytes that `read_bytes` read
    "nn/profile/onnx_walk.py": {"onnx.load_from_string", "onnx_runtime().InferenceSession"},  # likewise
    "nn/profile/onnx_time.py": {"onnxruntime.InferenceSession"},  # a model that is in memory
    "learning/ship.py": {"onnx.load"},  # what torch has just written into a folder of ours
    "learning/latent/ship.py": {"onnx.load_from_string"},  # the same in memory
    "learning/network_from_file.py": {"onnx.load_from_string"},  # the content of a `Model`
    "strategy/sweep.py": {"pickle.loads"},  # an error of its own, to see that another process could have it
    "problem/yaml_strict.py": {"json.loads"},  # the strict reader of problem files, a text that is in memory
}
"""Files that make raw calls beside the reading room, and which; every one has its reason."""


def calls(tree: ast.Module) -> Iterator[str]:
    """Raw readers that a file calls: `module.name`, or `.name` of anything else that opens files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("open", "ZipFile"):
            yield node.func.id
        elif isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
            owner = ast.unparse(node.func.value)
            if owner in MODULES:
                yield f"{owner}.{node.func.attr}"
            elif node.func.attr in ("open", "read_text", "read_bytes") and owner not in (
                "reading",
                "archive",
            ):
                yield f".{node.func.attr}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_are_read_in_one_room_only(path: Path) -> None:
    name = path.relative_to(SOURCE).as_posix()
    found = set(calls(ast.parse(path.read_text())))
    if name.startswith("storage/") and name != "storage/writing.py":
        return
    assert found <= ALLOWED.get(name, set()), "read files through trabecula.storage.reading"


def test_the_list_of_exceptions_is_not_longer_than_needed() -> None:
    for name, allowed in ALLOWED.items():
        assert set(calls(ast.parse((SOURCE / name).read_text()))) >= allowed, name
