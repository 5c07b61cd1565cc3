"""From nothing to a network at work: generate, train, solve; small, and all of it real."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Run
from trabecula.cli.app import app
from trabecula.discretisation import discretise
from trabecula.learning.generate import DataSettings, make_shard, prepare_folder
from trabecula.learning.store import shard_path, write_shard
from trabecula.optimize.plan import Stop
from trabecula.problem import problems
from trabecula.starts import ExtrapolationNetwork, ProposalNetwork, UpscalingNetwork
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.workbench import Workbench
from trabecula.surrogate import Latent, cards, load_model
from trabecula.surrogate.generator import NOISE, generate_designs

KINDS = ("corrector", "leap", "proposer")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    settings = DataSettings(2, seed=5, proposals=4, voxels=2600, change=1e-3, iterations=40)
    prepare_folder(folder, settings)
    for shard in (0, 9):
        made, failed = make_shard(str(folder), settings, shard, 2)
        assert (made, failed) == (2, 0)
    return folder


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        words = (
            f"train {kind} --data {data} --out {folder} --steps 6 --width 8 --judge 1 --threads 1 -q --json"
        )
        said = CliRunner().invoke(app, words.split())
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["name"] == f"{kind}-2d"
    return folder


def test_every_kind_of_network_is_trained_with_its_story(models: Path) -> None:
    found = cards(models)
    assert sorted(found) == ["corrector-2d", "leap-2d", "proposer-2d"]
    for card in found.values():
        assert card.story["data"]["seed"] == 5
        assert card.story["recipe"]["steps"] == 6
        assert card.story["parameters"] > 1000
    judged = found["corrector-2d"].story["solves to a level, held out"]
    assert len(judged) == 6  # three plain hand-overs, three of what a network draws
    assert UpscalingNetwork.of(load_model("corrector-2d", models)).hand_over.grey in (0.25, 0.4, 0.5)
    searches = found["proposer-2d"].story["searches, held out"]
    assert [row["search"] for row in searches] == ["what is drawn", "a random field", "the whole search"]


def test_trained_networks_take_part_in_a_solve(models: Path) -> None:
    learned = Learned(
        ProposalNetwork(load_model("proposer-2d", models)),
        UpscalingNetwork(load_model("corrector-2d", models)),
        ExtrapolationNetwork(load_model("leap-2d", models)),
    )
    discrete = discretise(problems.get("cantilever", (96, 48)))
    search = Search(proposals=3, coarse=15, intermediate=10, learned=learned)
    outcome = run_to_end(coarse_to_fine(Workbench(discrete, 1), search, Stop(change=0.0, limit=25)))
    assert {trial.what for trial in outcome.trials} == {"proposal", "hand-over", "leap"}
    assert np.isfinite(outcome.step.merit)


def test_an_interrupted_training_goes_on(data: Path, models: Path, tmp_path: Path) -> None:
    for path in models.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = (tmp_path / "leap-2d.onnx").read_bytes()
    arguments = ["train", "leap", "--data", str(data), "--out", str(tmp_path), "--steps", "6", "--width", "8"]
    said = CliRunner().invoke(app, [*arguments, "--threads", "1"])
    assert said.exit_code == 0
    assert "step" not in said.stderr  # all of it was done before
    assert (tmp_path / "leap-2d.onnx").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["corrector", "--data", "nowhere", "--out", "models"], "nowhere"),
        (["nonsense", "--data", "nowhere", "--out", "models"], "nonsense"),
        (["proposer", "--data", "nowhere", "--out", "models", "--solver-steps", "9"], "draws out of noise"),
    ],
)
def test_bad_words_are_one_message(arguments: list[str], said: str) -> None:
    found = CliRunner().invoke(app, ["train", *arguments])
    assert found.exit_code == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_an_auto_encoder_is_trained_and_codes_designs(data: Path, tmp_path: Path) -> None:
    words = ["train", "autoencoder", "--data", str(data), "--out", str(tmp_path), "--steps", "3"]
    words += ["--width", "4", "--numbers", "7", "--threads", "1", "--cache", str(tmp_path / "cache")]
    said = CliRunner().invoke(app, [*words, "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["name"] == "encoder-2d"
    assert "step 3/3" in said.stderr
    found = cards(tmp_path)
    assert sorted(found) == ["decoder-2d", "encoder-2d"]
    for card in found.values():
        assert card.story["data"]["seed"] == 5
        assert card.story["recipe"]["steps"] == 3
        assert {"limits", "hours", "designs", "opset"} <= set(card.story)
    latent = Latent.load(2, tmp_path)
    code = latent.encode(np.eye(30), (2, 1))
    assert code.shape == (7,)
    assert latent.decode(code, (30, 60), (2, 1), 0.4).mean() == pytest.approx(0.4, abs=1e-5)
    again = CliRunner().invoke(app, [*words, "-q"])  # all of it was done before
    assert (again.exit_code, again.output) == (0, "")
    assert cards(tmp_path)["encoder-2d"].sha256 == found["encoder-2d"].sha256


def test_a_generator_is_trained_and_draws(data: Path, tmp_path: Path) -> None:
    words = ["train", "generator", "--data", str(data), "--out", str(tmp_path), "--steps", "3"]
    words += ["--width", "8", "--threads", "1", "--cache", str(tmp_path / "cache")]
    said = CliRunner().invoke(app, [*words, "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["name"] == "generator-2d"
    (card,) = cards(tmp_path).values()
    assert card.story["data"]["seed"] == 5
    assert card.story["recipe"]["steps"] == 3
    assert {"limits", "hours", "families", "opset", "difference of two, held out"} <= set(card.story)
    model = load_model("generator-2d", tmp_path)
    fields = np.zeros((card.channels - NOISE, 6, 8), np.float32)
    assert np.isfinite(generate_designs(model, fields, np.ones((6, 8), bool), range(2))).all()
    again = CliRunner().invoke(app, [*words, "-q"])  # all of it was done before
    assert (again.exit_code, again.output) == (0, "")
    assert cards(tmp_path)["generator-2d"].sha256 == card.sha256


def test_a_generator_of_nothing_is_one_message(data: Path, tmp_path: Path) -> None:
    write_shard(shard_path(tmp_path, 0), [], [])
    (tmp_path / "dataset.json").write_text((data / "dataset.json").read_text())
    words = ["train", "generator", "--data", str(tmp_path), "--out", str(tmp_path / "m")]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 2
    assert "holds too few problems with two different good designs" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_auto_encoder_of_nothing_is_one_message(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text((data / "dataset.json").read_text())
    words = ["train", "autoencoder", "--data", str(tmp_path), "--out", str(tmp_path / "m")]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 2
    assert "holds no shards to train on" in said.stderr


@pytest.mark.parametrize(
    ("kind", "why"), [("autoencoder", "codes of designs"), ("generator", "nearly as good beside each")]
)
def test_past_solves_do_not_teach_what_they_cannot(kind: str, why: str) -> None:
    said = CliRunner().invoke(app, ["train", kind, "--from-history", "--dimension", "2"])
    assert said.exit_code == 2
    assert why in said.stderr


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/x", "a/b", "", ".hidden", "x" * 200])
def test_a_name_that_is_a_path_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    done = run("train", "corrector", "--data", tmp_path, "--out", tmp_path / "models", "--name", name)
    assert done.exit_code == 2
    assert "--name is" in done.stderr
    assert not (tmp_path / "models").exists()
