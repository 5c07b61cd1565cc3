from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trabecula.cli.edge import BAD_INPUT, explain
from trabecula.physics import compiled_core as _kernels


@pytest.mark.parametrize("action", ["tb.solve(problems.cantilever((8, 4)))", "default_machine()"])
def test_an_unknown_instruction_set_is_one_kind_of_error_wherever_the_core_is_first_used(action: str) -> None:
    script = f"""
import trabecula as tb
from trabecula.physics import default_machine
from trabecula.physics.compiled_core import InstructionSetError
from trabecula.problem import problems

for _ in range(2):
    try:
        {action}
    except InstructionSetError as error:
        assert isinstance(error, ValueError)
        print(error)
"""
    done = run("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == second
    assert first.startswith("TRABECULA_ISA is 'foo'; this processor has ")
    assert first.endswith("base: name one of them or unset it")


def test_the_command_line_says_an_unknown_instruction_set_in_one_sentence(tmp_path: Path) -> None:
    result = tmp_path / "result"
    solved = run(
        "-m", "trabecula", "solve", "cantilever", "--iterations", "1", "--out", str(result), isa="base"
    )
    assert solved.returncode in (0, 3), solved.stderr
    for command in (["solve", "cantilever", "--out", str(tmp_path / "other")], ["check", str(result)]):
        done = run("-m", "trabecula", *command)
        assert done.returncode == BAD_INPUT
        assert done.stdout == ""
        assert done.stderr.startswith("trabecula: TRABECULA_ISA is 'foo'; this processor has ")
        assert len(done.stderr.splitlines()) == 1


def run(*arguments: str, isa: str = "foo") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"TRABECULA_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("error", "files", "said"),
    [
        (ModuleNotFoundError("no"), [], "the compiled core _core_base is not in "),
        (
            ModuleNotFoundError("no"),
            ["_core_base.cpython-39-x86_64-linux-gnu.so"],
            "the compiled core _core_base.cpython-39-x86_64-linux-gnu.so was built for another Python",
        ),
        (
            ImportError("wrong ELF class"),
            [],
            "the compiled core _core_base cannot be loaded (wrong ELF class)",
        ),
    ],
)
def test_a_core_that_cannot_be_loaded_says_why_and_how_to_mend_it(
    error: ImportError, files: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in files:
        (tmp_path / name).touch()

    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(_kernels, "__file__", str(tmp_path / "physics" / "compiled_core.py"))
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(_kernels.CoreError) as caught:
        _kernels._load("base")
    monkeypatch.undo()
    message, code = explain(caught.value)
    assert code == BAD_INPUT
    assert message.startswith(said)
    assert message.endswith("-m pip install --force-reinstall trabecula")
