"""Install a built wheel into an empty environment and use it from another folder.

    python check_wheel.py WHEEL

Shows that the wheel carries the compiled core for every instruction set, that its declared dependencies are
all it needs, and that nothing of the source tree is.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

SETS = ("base", "avx2", "avx512") if platform.machine().lower() in ("x86_64", "amd64") else ("base",)


def main(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for each in SETS:
        assert any(name.startswith(f"trabecula/_core_{each}.") for name in names), (
            f"no _core_{each} in {wheel}"
        )
    strays = [n for n in names if not n.startswith(("trabecula/", "trabecula-"))]
    assert not strays, f"does not belong into a wheel: {strays}"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "env", with_pip=True)
        scripts = home / "env" / ("Scripts" if os.name == "nt" else "bin")
        run(
            [
                str(scripts / "python"),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "-q",
                "install",
                str(wheel),
            ],
            home,
        )
        command = str(scripts / "trabecula")
        assert "solve" in run([command, "--help"], home)
        assert "mbb" in run([command, "problems"], home)
        for each in ("base", ""):
            (home / "small.yaml").write_text(SMALL)
            found = json.loads(run([command, "solve", "small.yaml", "--json"], home, TRABECULA_ISA=each))
            assert found["certificate"]["equilibrium_residual"] <= 1e-8, found
        run([command, "check", "out/small"], home)
        run([command, "export", "out/small", "--stl", "--3mf", "--vti", "--report"], home)
    print(f"{wheel.name}: installs alone, solves, checks and exports")


def run(command: list[str], folder: Path, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TRABECULA_ISA")}
    kept |= {key: value for key, value in environment.items() if value}
    return subprocess.run(command, cwd=folder, env=kept, check=True, stdout=subprocess.PIPE, text=True).stdout


SMALL = """\
trabecula: 1
domain: {size: [2, 1], elements: [32, 16]}
material: steel
supports: [{where: {x: 0}, fix: [x, y]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000]}]
goal: {minimize: compliance, volume: 0.5}
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
