"""`trabecula taste` from a small gallery to a steered design; nicety enters no result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import trabecula as tb
from trabecula.cli.app import app
from trabecula.problem import problems
from trabecula.results.result import Result
from trabecula.taste import exhibits_of, load_profile, look_at, rank, read_exhibits, steer

BEAM = problems.get("mbb", (30, 10))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> tb.Gallery:
    folder = tmp_path_factory.mktemp("taste") / "gallery"
    return tb.gallery(BEAM, count=4, within=0.3, budget=5.0, out=folder, threads=1)


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABECULA_TASTE_DIR", str(tmp_path / "profiles"))


def folder_of(gallery: tb.Gallery) -> Path:
    assert gallery.best.out is not None
    return gallery.best.out.parent.parent


def run(*words: object, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["taste", *map(str, words)])
    assert found.exit_code == code, found.output
    return found.output


def told(*words: object) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(run(*words, "--json"))
    return tree


def test_questions_are_answered_one_after_the_other(gallery: tb.Gallery) -> None:
    folder = folder_of(gallery)
    assert len(gallery) >= 2
    first = told("ask", folder, "--of", 2)
    assert first["choices"] == 0 and len(first["question"]) == 2
    assert Path(first["picture"]).read_bytes().startswith(b"\x89PNG")
    assert told("ask", folder, "--of", 2)["question"] == first["question"]  # nothing was answered
    second = told("ask", folder, "--of", 2, "--answer", first["question"][1])
    assert second["choices"] == 1
    names = [place.features.tolist() for place in load_profile("me").picks[0].shown]
    places = {each.name: each.place.features.tolist() for each in read_exhibits(folder)}
    assert names == [places[name] for name in first["question"]]
    assert load_profile("me").picks[0].nicest == 1


def test_designs_are_ranked_and_the_taste_is_said(gallery: tb.Gallery) -> None:
    folder = folder_of(gallery)
    run("ask", folder, "--answer", "a", "--answer", "b")
    ranked = told("rank", folder)["designs"]
    assert [each["nicety"] for each in ranked] == sorted((each["nicety"] for each in ranked), reverse=True)
    assert {each["name"] for each in ranked} == {each.name for each in gallery}
    assert [each["name"] for each in ranked] == [
        exhibit.name for exhibit, _ in rank(exhibits_of(gallery), load_profile("me"))
    ]
    assert told("say")["choices"] == 2
    assert "me: 2 choices" in run("say")


def test_the_choices_of_the_page_are_learned(gallery: tb.Gallery, tmp_path: Path) -> None:
    folder, path = folder_of(gallery), tmp_path / "choices.json"
    one, other = gallery.designs[0].name, gallery.designs[1].name
    page = (folder / "gallery.html").read_text()
    assert "trabecula_choices" in page and "The left one is nicer" in page
    content = {
        "trabecula_choices": 1,
        "gallery": "MBB",
        "choices": [{"shown": [one, other], "nicest": other}],
    }
    path.write_text(json.dumps(content))
    run("choose", folder, path)
    ranked = [each["name"] for each in told("rank", folder)["designs"]]
    assert ranked.index(other) < ranked.index(one)
    path.write_text(json.dumps({**content, "choices": [{"shown": [one, "nothing"], "nicest": one}]}))
    assert "does not hold" in run("choose", folder, path, code=2)


def test_a_profile_travels_and_goes(gallery: tb.Gallery, tmp_path: Path) -> None:
    run("ask", folder_of(gallery), "--answer", "a")
    run("export", "me", tmp_path / "away.json")
    run("import", tmp_path / "away.json", "you")
    assert "already" in run("import", tmp_path / "away.json", "you", code=2)
    run("average", "me", "you", "--into", "us")
    assert [each["name"] for each in told("profiles")["profiles"]] == ["me", "us", "you", "house"]
    for name in ("me", "you", "us"):
        run("delete", name)
    assert "no profile" in run("rank", folder_of(gallery), code=2)
    assert not (tmp_path / "profiles").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "nowhere"),
        ("ask", "GALLERY", "--answer", "z"),
        ("ask", "GALLERY", "--profile", "House"),
        ("ask", "GALLERY", "--of", "20"),
        ("choose", "GALLERY", "nowhere.json"),
        ("steer", "mbb", "--profile", "nobody"),
        ("delete", "house"),
        ("say",),
    ],
)
def test_what_cannot_be_done_is_one_sentence(gallery: tb.Gallery, words: tuple[str, ...]) -> None:
    said = run(*(folder_of(gallery) if word == "GALLERY" else word for word in words), code=2)
    assert said.startswith("trabecula: ") and "Traceback" not in said


def test_nicety_enters_no_result_and_no_certificate(gallery: tb.Gallery, tmp_path: Path) -> None:
    plain = tb.solve(BEAM, threads=1)
    steering = steer(BEAM, load_profile("house"), weight=0.0, threads=1)
    assert len(steering.designs) == 1 and steering.choice is steering.plain
    assert np.array_equal(steering.choice.result.density, plain.density)
    assert steering.choice.result.certificate == plain.certificate
    steered = steer(BEAM, load_profile("house"), weight=5.0, threads=1)
    for each in steered.designs:
        alone = tb.solve(each.result.problem, threads=1)  # which knows nothing of taste
        assert np.array_equal(alone.density, each.result.density)
        assert (alone.certificate, alone.word) == (each.result.certificate, each.result.word)
        assert alone.part is not None and each.figure == alone.part.compliance
        assert each.price == pytest.approx(each.figure / steered.plain.figure - 1.0)
    trees = []
    for name, result in (("steered", steered.choice.result), ("plain", plain)):
        result.save(tmp_path / name)
        trees.append(json.loads((tmp_path / name / "result.json").read_text()))
    assert set(trees[0]) == set(trees[1]) and set(trees[0]["certificate"]) == set(trees[1]["certificate"])


def test_steering_takes_what_is_worth_its_price(gallery: tb.Gallery) -> None:
    house = load_profile("house")
    steered = steer(BEAM, house, weight=5.0, also=exhibits_of(gallery), threads=1)
    chosen = steered.choice
    worth = {each.name: 5.0 * each.nicety - 100.0 * each.price for each in steered.designs}
    assert worth[chosen.name] == max(worth.values()) >= 0.0 == worth["plain"]
    assert {f"gallery: {each.name}" for each in gallery} <= set(worth)
    for each in steered.designs:
        assert (
            each.look.features.tolist()
            == look_at(
                each.result.part.mask if each.result.part else each.result.density >= 0.5, BEAM.domain.spacing
            ).features.tolist()
        )


def test_steering_writes_a_result_that_check_confirms(gallery: tb.Gallery, tmp_path: Path) -> None:
    out = tmp_path / "steered"
    (tmp_path / "beam.yaml").write_text(tb.dump(BEAM))
    words = ("steer", tmp_path / "beam.yaml", "--profile", "house", "--weight", 5, "--out", out)
    found = told(*words, "--gallery", folder_of(gallery), "--threads", 1)
    assert {"plain", "radius 1.4"} <= {each["name"] for each in found["tried"]}
    assert found["plain"]["price"] == 0.0 and found["plain"]["word"] in ("certified", "verified")
    check = CliRunner().invoke(app, ["check", str(out)])
    assert check.exit_code == 0, check.output
    assert Result.load(out).part is not None


def test_a_forged_gallery_never_acts_on_a_terminal(gallery: tb.Gallery, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "forged"
    shutil.copytree(folder_of(gallery), folder)
    record = json.loads((folder / "gallery.json").read_text())
    for design in record["designs"]:
        design["description"]["words"] = "\x1b[2J gone"
    (folder / "gallery.json").write_text(json.dumps(record))
    assert "\x1b" not in run("rank", folder, "--profile", "house")
    record["designs"][0]["name"] = "../gallery"
    (folder / "gallery.json").write_text(json.dumps(record))
    assert "no name of a folder" in run("rank", folder, "--profile", "house", code=2)
