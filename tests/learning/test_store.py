"""Shards: what goes in comes out, the same bytes for the same samples, damage is one clear message."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.storage.hostile import NPZ, Make, bomb, content, directory_bomb, fifo
from trabecula.learning.store import (
    FORMAT,
    INFO,
    Failure,
    RunRecord,
    Sample,
    Snapshot,
    count_in,
    open_dataset,
    read_shard,
    shard_path,
    write_shard,
)
from trabecula.storage.reading import UnreadableError


def small(index: int = 0, dimension: int = 2) -> Sample:
    """A sample of two levels with little in it."""
    random = np.random.default_rng(index)

    def half(*shape: int) -> np.ndarray:
        return random.random(shape).astype(np.float16)

    coarse, fine = (2,) * dimension, (4,) * dimension
    return Sample(
        index=index,
        problem="trabecula: 1\n",
        hard=index % 2 == 0,
        grids=(coarse, fine),
        runs=(
            RunRecord("0-cold", "ramp", 0, 2.0, half(*coarse), 40),
            RunRecord("0-random-1", "search", 0, 1.5, half(*coarse), 12),
            RunRecord("1-cold", "ramp", 1, 1.25, half(*fine), 33, "0-cold"),
        ),
        snapshots=tuple(Snapshot("1-cold", i, 1.5, half(*fine), half(*fine), 3.0 - i) for i in (0, 1)),
        convex=half(*coarse),
        winner="1-cold",
    )


def tree(sample: Sample) -> dict[str, object]:
    """Something two equal samples have in common."""
    arrays = [r.density for r in sample.runs] + [sample.convex]
    arrays += [a for s in sample.snapshots for a in (s.density, s.sensitivity)]
    records = [{k: v for k, v in vars(r).items() if k != "density"} for r in sample.runs]
    shots = [(s.run, s.iteration, s.penalty, s.merit) for s in sample.snapshots]
    rest = (sample.index, sample.problem, sample.hard, sample.grids, sample.winner)
    return {"rest": rest, "runs": records, "shots": shots, "arrays": [a.tobytes() for a in arrays]}


def test_a_sample_with_a_broken_solve_counts_as_a_failure(tmp_path: Path) -> None:
    cold, other, fine = small().runs
    lost = replace(small(0), runs=(replace(cold, merit=float("inf")), other, fine))
    broken = replace(small(1), runs=(cold, other, replace(fine, merit=-1e18)))
    assert lost.is_sound and not broken.is_sound
    write_shard(tmp_path / "a.npz", [lost, broken], [])
    shard = read_shard(tmp_path / "a.npz")
    assert [sample.index for sample in shard.samples] == [0]
    assert shard.failures == (Failure(1, "a solve broke down"),)


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_shard_gives_back_what_went_in(tmp_path: Path, dimension: int) -> None:
    samples = [small(0, dimension), replace(small(1, dimension), snapshots=())]
    write_shard(tmp_path / "a.npz", samples, [Failure(2, "TooLongError: took long")])
    shard = read_shard(tmp_path / "a.npz")
    assert [tree(s) for s in shard.samples] == [tree(s) for s in samples]
    assert shard.failures == (Failure(2, "TooLongError: took long"),)
    assert shard.count == count_in(tmp_path / "a.npz") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [".trabecula.json", "a.npz"]


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, [small()], [])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_program_that_reads_npz_can_read_the_arrays(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.npz", [small()], [])
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["00/level-0"].shape == (2, 2, 2)
        assert arrays["00/density"].dtype == np.float16


def test_runs_are_found_by_name_and_by_level() -> None:
    sample = small()
    assert sample.run("1-cold").parent == "0-cold"
    assert [run.name for run in sample.at(0)] == ["0-random-1", "0-cold"]
    assert [run.name for run in sample.at(-1)] == ["1-cold"]


def info(folder: Path, **changes: object) -> None:
    tree = {"format": FORMAT, "dimension": 2, "seed": 0, "settings": {}} | changes
    (folder / INFO).write_text(json.dumps(tree))


def test_a_data_set_gives_its_samples_and_failures_in_order(tmp_path: Path) -> None:
    info(tmp_path)
    write_shard(shard_path(tmp_path, 10), [small(160)], [])
    write_shard(shard_path(tmp_path, 2), [small(32), small(33)], [Failure(34, "no")])
    dataset = open_dataset(str(tmp_path))
    assert dataset.dimension == 2
    assert [sample.index for sample in dataset.samples()] == [32, 33, 160]
    assert list(dataset.failures()) == [Failure(34, "no")]


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "does not exist"), ("{", "is damaged"), ("{}", "is damaged"), ("[]", "is damaged")],
)
def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / INFO).write_text(text)
    with pytest.raises(UnreadableError, match=message):
        open_dataset(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    info(tmp_path, format=99)
    with pytest.raises(UnreadableError, match="format 99; this version reads 1"):
        open_dataset(tmp_path)


def rewritten(path: Path, text: str | None = None, **arrays: np.ndarray) -> Path:
    """The shard with its text or some arrays replaced."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    if text is not None:
        entries["samples.json"] = text.encode()
    other = path.with_name("other.npz")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in entries.items():
            array = arrays.get(name.removesuffix(".npy").replace("/", "_").replace("-", "_"))
            if array is None:
                archive.writestr(name, content)
            else:
                with archive.open(name, "w") as member:
                    np.save(member, array, allow_pickle=array.dtype != object)
    return other


def test_damage_is_one_clear_message(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_shard(path, [small()], [])
    whole = path.read_bytes()
    with pytest.raises(UnreadableError, match="does not exist"):
        read_shard(tmp_path / "none.npz")
    for damaged in (b"", whole[: len(whole) // 2], whole[:40] + b"\0" * 200 + whole[240:]):
        (tmp_path / "b.npz").write_bytes(damaged)
        with pytest.raises(UnreadableError, match=r"b\.npz: is damaged or no shard"):
            read_shard(tmp_path / "b.npz")
    assert count_in(tmp_path / "none.npz") == 0
    assert count_in(rewritten(path, "{}")) == 0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 1}', '{"format": 1, "samples": [{}], "failures": []}']
)
def test_a_text_that_says_something_else_is_damage(tmp_path: Path, text: str) -> None:
    write_shard(tmp_path / "a.npz", [small()], [])
    with pytest.raises(UnreadableError, match="is damaged"):
        read_shard(rewritten(tmp_path / "a.npz", text))


def test_a_shard_of_another_format_says_so(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.npz", [small()], [])
    with pytest.raises(UnreadableError, match="shard of format 2; this version reads 1"):
        read_shard(rewritten(tmp_path / "a.npz", '{"format": 2, "samples": [], "failures": []}'))


def test_a_text_of_absurd_length_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path / "a.npz", [small()], [])
    monkeypatch.setattr("trabecula.learning.store._LARGEST", 10)
    with pytest.raises(UnreadableError, match="text is too long"):
        read_shard(tmp_path / "a.npz")


def test_numbers_of_another_type_are_damage(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.npz", [small()], [])
    with pytest.raises(UnreadableError, match="is damaged"):
        read_shard(rewritten(tmp_path / "a.npz", **{"00_convex": np.zeros((2, 2))}))


def test_a_shard_that_unpacks_to_more_than_the_limit_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trabecula.learning.store._UNPACKED", 1 << 25)
    bomb("design", 1 << 26)(tmp_path / "a.npz")
    with pytest.raises(UnreadableError, match="unpacks to more than"):
        read_shard(tmp_path / "a.npz")


@pytest.mark.parametrize("make", [fifo, content(directory_bomb()), content(bytes(500))])
def test_what_is_no_shard_at_all_is_refused(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "a.npz")
    with pytest.raises(UnreadableError, match="is damaged or no shard"):
        read_shard(tmp_path / "a.npz")
    assert count_in(tmp_path / "a.npz") == 0


@pytest.mark.parametrize(
    ("key", "value"), [("dimension", 7), ("dimension", "2"), ("seed", None), ("format", "1"), ("seed", [])]
)
def test_a_manifest_of_other_kinds_is_damaged(tmp_path: Path, key: str, value: object) -> None:
    info(tmp_path, **{key: value})
    with pytest.raises(UnreadableError, match="is damaged, or not of a data set"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("make", [fifo, *NPZ.values()])
def test_a_cache_that_is_none_is_refused(tmp_path: Path, make: Make) -> None:
    from trabecula.learning.examples import load_examples
    from trabecula.learning.latent.designs import load_designs as designs

    for name, read in (("leap-s.npz", lambda: load_examples("leap", tmp_path / "s.npz", tmp_path)),
                       ("autoencoder-s.npz", lambda: designs(tmp_path / "s.npz", tmp_path))):  # fmt: skip
        make(tmp_path / name)
        if make is NPZ["no arrays"] and name.startswith("leap"):
            assert read() == [], "a shard may have no examples"
            continue
        with pytest.raises(UnreadableError):
            read()
