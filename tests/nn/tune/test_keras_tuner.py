"""Keras Tuner drives PyTorch without TensorFlow, in both ways; and what the guide says it lacks, it lacks."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

CODE = """
import json, sys, torch
from pathlib import Path
import keras_tuner_torch as example
import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner

torch.set_num_threads(1)
example.EPOCHS = 5
plain, keras = example.plain_torch(Path("."), 3), example.keras_on_torch(Path("."), 1)
x, y, x_valid, y_valid = example.digits()
again = (plain[2](x_valid).argmax(1) == y_valid).float().mean().item()

class Tuner(BaseTuner):
    done = 0

    def run_trial(self, trial, fail=False, verbose=0):
        width = trial.hyperparameters.Int("width", 1, 100)
        Tuner.done += 1
        if fail and Tuner.done == 2:
            raise RuntimeError("out of memory")
        return {"accuracy": width / 100, "latency": float(width)}

def tuner(objective, trials, project):
    oracle = keras_tuner.oracles.RandomSearchOracle(objective=objective, max_trials=trials, seed=0)
    return Tuner(oracle, directory=".", project_name=project)

accuracy = keras_tuner.Objective("accuracy", "max")
tuner(accuracy, 4, "one").search(verbose=0)
first = Tuner.done
tuner(accuracy, 7, "one").search(verbose=0)
resumed = Tuner.done - first
Tuner.done = 0
failing = tuner(accuracy, 4, "two")
failing.search(fail=True, verbose=0)
both = tuner([accuracy, keras_tuner.Objective("latency", "min")], 2, "three")
try:
    both.search(verbose=0)
    refused = ""
except Exception as error:
    refused = str(error)

print(json.dumps({
    "accuracies": [plain[1], keras[1]],
    "again": again,
    "modules": [isinstance(way[2], torch.nn.Module) for way in (plain, keras)],
    "of_keras": [type(way[2]).__module__.startswith("keras") for way in (plain, keras)],
    "settings": [sorted(way[0]) for way in (plain, keras)],
    "imported": [name for name in ("tensorflow", "jax") if name in sys.modules],
    "backend": example.keras.backend.backend(),
    "resumed": resumed,
    "states": [trial.status for trial in failing.oracle.trials.values()],
    "summed": both.oracle.objective.get_value({"accuracy": 0.5, "latency": 3.0}),
    "refused": refused,
}))
"""


@dataclass(frozen=True)
class Found:
    """What the process said."""

    accuracies: list[float]
    again: float
    modules: list[bool]
    of_keras: list[bool]
    settings: list[list[str]]
    imported: list[str]
    backend: str
    resumed: int
    states: list[str]
    summed: float
    refused: str


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """All of it in one process of its own: Keras takes its backend once a process."""
    folder = tmp_path_factory.mktemp("keras")
    environment = {**os.environ, "KERAS_HOME": str(folder), "PYTHONPATH": str(ROOT / "examples" / "networks")}
    environment.pop("KERAS_BACKEND", None)
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Found(**json.loads(done.stdout.strip().splitlines()[-1]))


def test_tensorflow_is_neither_installed_nor_imported(found: Found) -> None:
    assert importlib.util.find_spec("tensorflow") is None
    assert found.imported == []
    assert found.backend == "torch"


def test_a_plain_loop_and_keras_on_torch_are_both_tuned(found: Found) -> None:
    assert all(accuracy > 0.5 for accuracy in found.accuracies)  # of ten classes, after a few short trials
    assert found.modules == [True, True]
    assert found.of_keras == [False, True]
    assert found.settings == [["rate", "width"]] * 2


def test_the_network_that_comes_back_is_the_one_that_was_measured(found: Found) -> None:
    assert found.again == pytest.approx(found.accuracies[0], abs=1e-6)


def test_a_folder_is_gone_on_with(found: Found) -> None:
    assert found.resumed == 3


def test_a_mistake_in_a_trial_does_not_stop_the_search(found: Found) -> None:
    assert found.states == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]


def test_several_objectives_are_a_sum_and_not_for_loops_of_ones_own(found: Found) -> None:
    assert found.summed == 3.0 - 0.5
    assert "multi_objective" in found.refused
