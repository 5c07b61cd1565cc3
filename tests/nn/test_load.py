"""Objects by name: what is found, and one sentence where nothing is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from trabecula.nn.load import load_model, load_object

MODULE = """
import torch
from torch import nn

number = 3
ready = nn.Linear(2, 2)

class Small(nn.Linear):
    def __init__(self):
        super().__init__(3, 1)

    @staticmethod
    def batches():
        return [1, 2]

class Wide(nn.Linear):
    def __init__(self, width, depth=2):
        super().__init__(width, 1)

def build():
    return Small()

def wrong():
    return [1]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with modules in it, forgotten afterwards."""
    (tmp_path / "loadable.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("loadable", "broken", "leaving", "needy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_module_in_the_current_directory_is_found(here: Path) -> None:
    assert load_object("loadable:number") == 3
    assert load_object("loadable:Small.batches")() == [1, 2]  # type: ignore[operator]


def test_a_class_a_function_and_an_instance_become_a_network(here: Path) -> None:
    for name in ("Small", "build", "ready"):
        assert isinstance(load_model(f"loadable:{name}"), torch.nn.Linear)
    assert load_model("loadable:ready") is load_object("loadable:ready")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loadable", "write module:name"),
        (":Small", "write module:name"),
        ("loadable:", "write module:name"),
        ("loadable:not a name", "write module:name"),
        ("./loadable.py:Small", "is no module name"),
        ("loadable.py:Small", "write mymodels, not mymodels.py"),
        ("nowhere:Small", "there is no module 'nowhere'"),
        ("nowhere.inside:Small", "there is no module 'nowhere'"),
        ("loadable:Smal", "loadable has no 'Smal'; it has Small, Wide, build, wrong"),
        ("loadable:Small.nothing", "has no 'Small.nothing'"),
    ],
)
def test_a_bad_name_is_one_sentence(here: Path, name: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as raised:
        load_object(name)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loadable:number", "an int, not a torch.nn.Module, nor a class"),
        ("loadable:wrong", "makes a list, not a torch.nn.Module"),
        ("loadable:Wide", "called without arguments, and it takes width"),
    ],
)
def test_what_makes_no_network_is_one_sentence(here: Path, name: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        load_model(name)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("module", "content", "said"),
    [
        ("broken", "1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("leaving", "import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
        ("needy", "import no_such_package_at_all", "needs the module 'no_such_package_at_all'"),
    ],
)
def test_a_module_that_breaks_says_what_broke(here: Path, module: str, content: str, said: str) -> None:
    (here / f"{module}.py").write_text(content)
    with pytest.raises(ValueError) as raised:
        load_object(f"{module}:Small")
    assert said in str(raised.value)


def test_without_torch_it_says_what_to_install(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"pip install 'trabecula\[learn\]'"):
        load_model("loadable:Small")
