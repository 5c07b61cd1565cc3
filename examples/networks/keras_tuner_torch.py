"""Keras Tuner drives PyTorch, without TensorFlow, in two ways.

1. `Loop`: a `BaseTuner` whose `run_trial` is a plain PyTorch loop. The tuner only proposes settings and
   writes results down; model, training and metric are ours, and Keras has no part in them.
2. `keras_on_torch`: a Keras 3 model on the torch backend, tuned with `model.fit` as in any Keras script.
   Its layers are PyTorch modules, so what comes out is a `torch.nn.Module`.

Run it: `pip install torch keras keras-tuner six scikit-learn`, then
`python examples/networks/keras_tuner_torch.py`.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"  # before keras is imported

import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import torch
from sklearn.datasets import load_digits
from torch import nn

EPOCHS = 8


def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """scikit-learn's 8 x 8 digits: 1200 to train with, the rest to validate with."""
    bundle = load_digits()
    x = torch.from_numpy(bundle.data / 16).float()
    y = torch.from_numpy(bundle.target).long()
    return x[:1200], y[:1200], x[1200:], y[1200:]


class Loop(keras_tuner.engine.base_tuner.BaseTuner):
    """Tunes a PyTorch network that Keras knows nothing of."""

    def run_trial(
        self,
        trial: keras_tuner.engine.trial.Trial,
        x: torch.Tensor,
        y: torch.Tensor,
        x_valid: torch.Tensor,
        y_valid: torch.Tensor,
        verbose: int = 0,
    ) -> dict[str, float]:
        """Train one network with the trial's settings; what is returned is what the oracle compares.

        The arguments are those of `search`, `verbose` among them. A mistake in here does not stop the search:
        it prints a traceback and goes on, and gives up after three in a row.
        """
        hp = trial.hyperparameters
        width = hp.Int("width", 8, 64, sampling="log")
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
        optimiser = torch.optim.Adam(model.parameters(), rate)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(x)).split(100):
                loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        with torch.no_grad():
            accuracy = (model(x_valid).argmax(1) == y_valid).float().mean().item()
        self.save_model(trial.trial_id, model)
        return {"accuracy": accuracy}

    def save_model(self, trial_id: str, model: nn.Module, step: int = 0) -> None:
        """Keep the weights, so that the best network need not be trained again."""
        torch.save(model.state_dict(), Path(self.get_trial_dir(trial_id)) / "weights.pt")

    def load_model(self, trial: keras_tuner.engine.trial.Trial) -> nn.Module:
        """The network of a trial; `get_best_models` calls this."""
        width = trial.hyperparameters.get("width")
        model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
        model.load_state_dict(torch.load(Path(self.get_trial_dir(trial.trial_id)) / "weights.pt"))
        return model


def plain_torch(folder: Path, trials: int = 6) -> tuple[dict[str, Any], float, nn.Module]:
    """Way 1. The best settings, their accuracy and their network."""
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("accuracy", "max"), max_trials=trials, num_initial_points=3, seed=0
    )
    tuner = Loop(oracle, directory=folder, project_name="plain")
    tuner.search(*digits(), verbose=0)
    best = oracle.get_best_trials()[0]
    return best.hyperparameters.values, float(best.score), tuner.get_best_models()[0]


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    """A Keras model; the same lines would run on another backend."""
    width = hp.Int("width", 8, 64, sampling="log")
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model = keras.Sequential(
        [
            keras.layers.Input((64,)),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def keras_on_torch(folder: Path, trials: int = 3) -> tuple[dict[str, Any], float, nn.Module]:
    """Way 2. The best settings, their accuracy and their network."""
    keras.utils.set_random_seed(0)
    x, y, x_valid, y_valid = (tensor.numpy() for tensor in digits())
    tuner = keras_tuner.RandomSearch(
        build, objective="val_accuracy", max_trials=trials, seed=0, directory=folder, project_name="keras"
    )
    tuner.search(x, y, epochs=EPOCHS, batch_size=100, validation_data=(x_valid, y_valid), verbose=0)
    best = tuner.oracle.get_best_trials()[0]
    return best.hyperparameters.values, float(best.score), tuner.get_best_models()[0]


def main() -> None:
    """Both ways, and the proof that TensorFlow had no part."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for way in (plain_torch, keras_on_torch):
            settings, accuracy, model = way(Path(folder))
            assert isinstance(model, nn.Module)
            shown = ", ".join(f"{name} {value:.3g}" for name, value in settings.items())
            print(f"{way.__name__}: accuracy {accuracy:.3f} with {shown}")
    assert keras.backend.backend() == "torch"
    print("tensorflow imported:", "tensorflow" in sys.modules)


if __name__ == "__main__":
    main()
