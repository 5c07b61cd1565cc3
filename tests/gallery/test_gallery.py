"""A gallery: different, proven, within its share; the same for any threads and after an interruption."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import trabecula as tb
from trabecula.cli.app import app
from trabecula.gallery.difference import Comparison
from trabecula.gallery.ground import SOURCES, Draw, Ground
from trabecula.problem import problems
from trabecula.storage.reading import UnreadableError

BEAM = problems.get("mbb", (30, 10))
ASKED: dict[str, Any] = {"count": 3, "within": 0.1, "budget": 3.0}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tb.Gallery:
    return tb.gallery(BEAM, **ASKED, out=tmp_path_factory.mktemp("gallery") / "out", threads=1)


def folder_of(gallery: tb.Gallery) -> Path:
    assert gallery.best.out is not None
    return gallery.best.out.parent.parent


def test_designs_are_different_and_none_is_worse_than_the_share(made: tb.Gallery) -> None:
    from trabecula.discretisation import prepare

    assert 2 <= len(made) <= 3
    comparison = Comparison.of(prepare(BEAM)[0])
    assert [each.above for each in made] == sorted(each.above for each in made)
    assert made.best.above == 0.0 and all(each.above <= 0.1 for each in made)
    for k, one in enumerate(made):
        assert one.result.part is not None
        assert one.figure == one.result.part.compliance
        assert all(comparison.difference(one.mask, other.mask) > 0.12 for other in made.designs[:k])


def test_the_best_is_never_above_the_plain_solve(made: tb.Gallery) -> None:
    plain = tb.solve(BEAM, threads=1)
    assert plain.part is not None
    assert made.best.figure <= plain.part.compliance
    own = [each for each in made if each.source == "plain"]
    for each in own:
        assert np.array_equal(each.result.density, plain.density)


def test_the_budget_is_kept(made: tb.Gallery) -> None:
    assert 1.0 <= made.work <= 3.6  # what was begun is finished
    assert sum(source.work for source in made.sources) == pytest.approx(made.work)


def test_every_design_is_a_result_that_check_confirms(made: tb.Gallery) -> None:
    for each in made:
        assert each.out is not None and (each.out / "part.npy").is_file()
        found = CliRunner().invoke(app, ["check", str(each.out), "--json"])
        assert found.exit_code == 0, found.output


def test_what_is_written_is_complete(made: tb.Gallery) -> None:
    folder = folder_of(made)
    record = json.loads((folder / "gallery.json").read_text())
    assert record["best"] == pytest.approx(made.best.figure)
    assert [each["out"] for each in record["designs"]] == [str(each.out) for each in made]
    assert {"out", "source", "compliance", "above", "word"} <= set(record["designs"][0])
    assert {path.name for path in (folder / "designs").iterdir()} == {each.name for each in made}
    assert (folder / "gallery.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "pareto.svg").read_text().count("<circle") >= len(made)
    assert len((folder / "gallery.csv").read_text().splitlines()) == 1 + len(made)
    assert made.best.name in (folder / "gallery.md").read_text()
    assert not (folder / "checkpoint").exists()


def test_the_page_needs_no_network_and_nothing_in_it_ends_its_data(made: tb.Gallery, tmp_path: Path) -> None:
    from trabecula.gallery.page import make_page

    name = "</script><script>alert(1)</script>{{CONTENT}}"
    page = make_page(replace(made, problem=replace(BEAM, name=name)), [b"png"] * len(made))
    assert "alert(1)</script>" not in page
    assert "default-src 'none'" in page
    links = re.findall(r"""(?:src|href)\s*=\s*["']?(\S+)|url\(|@import|https?://([^\s"']+)""", page)
    assert {link for pair in links for link in pair if link} <= {"www.w3.org/2000/svg"}
    content = json.loads(page.split('id="content">')[1].split("</script>")[0])
    assert content["name"] == name
    (tmp_path / "on.yaml").write_text(content["designs"][0]["problem"])
    assert tb.load(tmp_path / "on.yaml").domain == BEAM.domain


def test_designs_do_not_depend_on_threads(made: tb.Gallery) -> None:
    other = tb.gallery(BEAM, **ASKED, threads=2)
    assert [each.name for each in other] == [each.name for each in made]
    for one, two in zip(made, other, strict=True):
        assert np.array_equal(one.result.density, two.result.density)


def test_a_gallery_that_was_stopped_goes_on_to_the_same_designs(made: tb.Gallery, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(step: tb.Progress) -> None:
        if step.run.endswith("-look"):
            raise Enough

    with pytest.raises(Enough):
        tb.gallery(BEAM, **ASKED, out=tmp_path, threads=1, progress=stop)
    assert not (tmp_path / "gallery.json").exists()
    steps: list[float] = []
    again = tb.gallery(
        BEAM, **ASKED, out=tmp_path, threads=1, resume=True, progress=lambda step: steps.append(step.fraction)
    )
    assert steps == sorted(steps)
    assert [each.name for each in again] == [each.name for each in made]
    for one, two in zip(made, again, strict=True):
        assert np.array_equal(one.result.density, two.result.density)


def test_another_request_is_not_gone_on_with(tmp_path: Path) -> None:
    def stop(step: tb.Progress) -> None:
        if step.run == "finish":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tb.gallery(BEAM, **ASKED, out=tmp_path, progress=stop)
    with pytest.raises(UnreadableError):
        tb.gallery(BEAM, **{**ASKED, "within": 0.02}, out=tmp_path, resume=True)


def test_a_convex_problem_has_one_design() -> None:
    options = replace(BEAM.options, penalty=1.0, projection=False)
    found = tb.gallery(replace(BEAM, options=options), count=3)
    assert [each.name for each in found] == ["plain"]
    assert "the sources had no more to try" in found.message


def test_a_source_of_ones_own_takes_part() -> None:
    class Mine:
        description = "Those of the fields."

        def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
            return SOURCES["fields"].draw(ground, first, count) if first < 8 else []

    SOURCES.register("mine", Mine())
    try:
        found = tb.gallery(BEAM, count=9, budget=3.0, within=0.1, sources=["mine"])
    finally:
        SOURCES._rows.pop("mine")
    assert found.sources[1].name == "mine" and 0 < found.sources[1].drawn <= 12


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"count": 0}, "count is 0"),
        ({"within": 0.0}, "within is 0.0; it must be above 0"),
        ({"budget": 0.5}, "budget is 0.5; it must be at least 1"),
        ({"sources": ["nonsense"]}, "sources holds 'nonsense'; it may hold ramps, fields"),
        ({"sources": ["fields", "fields"]}, "different names"),
        ({"resume": True}, "resume needs out"),
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        tb.gallery(BEAM, **wrong)


def test_the_command_goes_on_after_an_interruption_and_prints_the_contract(tmp_path: Path) -> None:
    (tmp_path / "beam.yaml").write_text(tb.dump(BEAM))
    words = ["gallery", str(tmp_path / "beam.yaml"), "--count", "2", "--within", "10%", "--budget", "2"]
    found = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out"), "--json", "-q"])
    assert found.exit_code == 0, found.output
    record = json.loads(found.stdout)
    assert set(record) >= {"best", "designs"} and record["designs"][0]["above"] == 0.0
    again = CliRunner().invoke(app, ["gallery", "--resume", str(tmp_path / "out"), "--json", "-q"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["best"] == record["best"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mbb", "--within", "7 apples"], "--within is '7 apples'; it must be a share above 0"),
        (["mbb", "--within", "0"], "must be a share above 0"),
        (["mbb", "--source", "nonsense", "--out", "OUT"], "sources holds 'nonsense'"),
        (["mbb", "--budget", "0", "--out", "OUT"], "budget is 0.0"),
        (["--resume", "OUT"], "does not exist"),
        ([], "give a problem file"),
    ],
)
def test_the_command_refuses_in_one_sentence(words: list[str], says: str, tmp_path: Path) -> None:
    asked = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    found = CliRunner().invoke(app, ["gallery", *asked])
    assert found.exit_code == 2
    assert says in found.output.replace("\n", " ")
    assert "Traceback" not in found.output
