"""The study of the corrector: every method fits, what is done is kept, tables say what was found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import efficiency, efficiency_judge, efficiency_study, efficiency_variants
from benchmarks.efficiency_study import ALONE, NINE, RECIPE, TEACHER, Data, Diary, Drawn, Job, opened
from benchmarks.efficiency_variants import Asked, Variant, doubt
from benchmarks.report import plain
from trabecula.learning.example import Example
from trabecula.starts import log_odds
from trabecula.surrogate import pack, unpack


def example(seed: int) -> Example:
    """Noise on a small grid, a part of it outside of the domain."""
    random = np.random.default_rng(seed)
    fields = random.uniform(-1, 1, (RECIPE.channels, 8, 8, 8))
    fields[RECIPE.inside] = 1.0
    fields[RECIPE.inside, :2] = 0.0
    target = random.uniform(0, 1, (8, 8, 8)).round()
    base = log_odds((fields[0] + 1) / 2)
    return Example(*(array.astype(np.float16) for array in (fields, base, target)))


@pytest.fixture(scope="module")
def data() -> Data:
    return Data([example(seed) for seed in range(12)], [example(100), example(101)])


@pytest.fixture
def one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficiency_study, "BATCHES", 1)


@pytest.mark.parametrize("way", [ALONE, *NINE])
@pytest.mark.usefixtures("one_batch")
def test_every_method_teaches_the_corrector(way: str, data: Data) -> None:
    job = Job(way, 0, 1)
    small = Drawn(efficiency_study.student(job))
    before = [p.clone() for p in small.parameters()]
    efficiency_study.how(job).distill(
        Drawn(efficiency_study.teacher()), small, efficiency_study.epochs(data.learn, 0)
    )
    assert any(not torch.equal(a, b) for a, b in zip(before, small.parameters(), strict=True))
    assert all(torch.isfinite(p).all() for p in small.parameters())


@pytest.mark.usefixtures("one_batch")
def test_what_is_done_is_not_done_again(data: Data, tmp_path: Path) -> None:
    job = Job(ALONE, 1, 1)
    trained = efficiency_study.train(job, data, tmp_path)
    assert efficiency_study.train(job, Data([], []), tmp_path) == trained
    net, file = efficiency_study.load(job, tmp_path), opened(tmp_path / "onnx" / f"{job.key}.onnx")
    fields = data.unseen[0].fields.astype(np.float32)
    packed = torch.from_numpy(pack(fields, 2, RECIPE.size.multiple))[None]
    expected = unpack(net(packed)[0].detach().numpy(), 2, (8, 8, 8))
    np.testing.assert_allclose(file.logits(fields), expected, atol=1e-4)


def test_the_teacher_is_the_shipped_network(data: Data) -> None:
    net, fields = efficiency_study.teacher(), data.unseen[0].fields.astype(np.float32)
    packed = torch.from_numpy(pack(fields, 2, RECIPE.size.multiple))[None]
    expected = unpack(net(packed)[0].detach().numpy(), 2, (8, 8, 8))
    np.testing.assert_allclose(opened(TEACHER).logits(fields), expected, atol=1e-4)


def test_outside_of_the_domain_nothing_is_corrected(data: Data) -> None:
    batch = efficiency_study.supply(data.learn).draw(np.random.default_rng(0))
    with torch.no_grad():
        drawn = Drawn(efficiency_study.teacher())(batch.fields, batch.base)
    outside = batch.inside == 0
    assert outside.any() and torch.equal(drawn[outside], batch.base[outside])
    assert not torch.equal(drawn, batch.base)


def test_a_cascade_asks_the_big_one_above_its_threshold(data: Data) -> None:
    fields = data.unseen[0].fields.astype(np.float32)
    big = opened(TEACHER)

    class Silent:
        card = big.card

        def logits(self, fields: efficiency_variants.Fields) -> efficiency_variants.Fields:
            return np.zeros((1, *fields.shape[1:]), np.float32)

    little = Silent()
    unsure = doubt(little.logits(fields), fields)
    assert 0 < unsure < 1
    assert not Asked(little, big, unsure).logits(fields).any()  # type: ignore[arg-type]
    asked = Asked(little, big, 0.9 * unsure).logits(fields)  # type: ignore[arg-type]
    np.testing.assert_array_equal(asked, big.logits(fields))


def test_a_data_set_that_is_not_there_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="trabecula generate --dimension 3 --seed 1"):
        Data.of(tmp_path)


def filled(folder: Path) -> None:
    """What all verbs would leave, with figures of our own: logits is best, and its student saves a solve."""
    trained, drawn = Diary(folder / "trained.jsonl"), Diary(folder / "drawn.jsonl")
    worth = {way: -0.01 * place for place, way in enumerate(reversed((ALONE, *NINE)))}
    for job in [
        *efficiency.jobs(range(3)),
        Job(ALONE, 0, efficiency.LONG),
        Job("logits", 0, efficiency.LONG),
    ]:
        trained.add(job.key, parameters=34397, seconds=1.0, loss=0.2, density=0.1)
        drawn.add(f"{job.key}.onnx", compliance=worth[job.way] if job.way != ALONE else 0.0)
    drawn.add("x", compliance=0.0)
    diary = Diary(folder / "variants.jsonl")
    diary.add("teacher", files=[TEACHER.name], loss=0.2, density=0.1, compliance=-0.07)
    source = f"{Job('logits', 0, efficiency.LONG).key}.onnx"
    diary.add(
        "cascade", files=[source, TEACHER.name], loss=0.2, density=0.1, compliance=-0.08,
        threshold=0.5, share=0.5,
    )  # fmt: skip
    efficiency_study.keep(efficiency_study.student(Job("logits", 0)), folder / "onnx" / source)
    shutil.copy(folder / "onnx" / source, folder / "onnx" / f"{Job(ALONE, 0, efficiency.LONG).key}.onnx")
    judged = Diary(folder / "judged.jsonl")
    for index in range(3):
        for name, solves in (
            (efficiency_judge.PLAIN, [15, 20]), ("teacher", [12, 16]),
            (efficiency.LONG_TAUGHT, [11, 16]), ("cascade", [11, 15]),
        ):  # fmt: skip
            judged.add(f"{index} {name}", solves=solves, accepted=True, seconds=1.0, made=20)
    times = {TEACHER.name: [20.0, 19.0, 21.0], source: [2.0, 1.9, 2.1]}
    (folder / "measured.json").write_text(json.dumps({"milliseconds": times, "solve": 0.1}))


def test_the_tables_say_what_was_found(tmp_path: Path) -> None:
    filled(tmp_path)
    assert efficiency.best(tmp_path) == "logits"
    told = {figure.what: figure for figure in efficiency.figures(tmp_path)}
    smaller, quicker, *fewer = list(told.values())
    assert smaller.value == pytest.approx(411_232 / 34_384, rel=0.01) and smaller.met
    assert quicker.value == pytest.approx(10.0) and quicker.met
    assert [each.value for each in fewer[:2]] == [-1, 0] and all(each.met for each in fewer[:2])
    rows = {str(row[0]): row for row in efficiency.big_table(tmp_path).rows}
    assert set(rows) == {
        efficiency_judge.PLAIN, "teacher", efficiency.LONG_ALONE, efficiency.LONG_TAUGHT, "cascade"
    }  # fmt: skip
    assert str(rows["cascade"][6]).startswith("12.00")  # half of the calls ask the teacher
    assert rows["teacher"][-1] == pytest.approx(12 * 0.1 + 0.02)
    assert rows[efficiency.LONG_ALONE][-1] is None  # not judged
    text = plain(efficiency.method_table(tmp_path))
    assert all(way in text for way in (ALONE, *NINE))


def test_jobs_are_every_way_for_every_seed() -> None:
    keys = [job.key for job in efficiency.jobs(range(3))]
    assert len(keys) == len(set(keys)) == 30


def test_a_variant_is_what_its_files_are(tmp_path: Path) -> None:
    assert isinstance(Variant("a", (TEACHER.name,), 0, 0, 0).model(tmp_path), type(opened(TEACHER)))
    assert isinstance(Variant("b", (TEACHER.name,) * 2, 0, 0, 0, 0.5, 0.5).model(tmp_path), Asked)
