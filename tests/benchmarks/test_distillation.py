"""The study of distillation: every method fits every task, and what was done is not done again."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pytest
import torch

from benchmarks import distillation
from benchmarks.distillation_tasks import BY_NAME, STUDENT, TASKS, TEACHER, examples
from benchmarks.report import plain


def every(seeds: int = 1) -> tuple[list[distillation.Job], list[distillation.Job]]:
    return distillation.jobs(argparse.Namespace(seeds=seeds, epochs=1, examples=50))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> distillation.Results:
    folder = tmp_path_factory.mktemp("kept")
    teachers, students = every()
    return {job: distillation.train(job, folder) for job in (*teachers, *students)}


def test_every_method_teaches_every_task(found: distillation.Results) -> None:
    assert len(found) == 3 * (2 + len(distillation.WAYS)) + 2 * len(distillation.DIMENSIONS)
    assert all(math.isfinite(ran.error) and ran.seconds > 0 for ran in found.values())
    for task in TASKS:
        ways = {job.way for job in found if job.task == task.name and job.who == "student"}
        assert ways == set(distillation.WAYS)


def test_the_tables_hold_every_run(found: distillation.Results) -> None:
    for task in TASKS:
        text = plain(distillation.method_table(found, task))
        assert all(way in text for way in distillation.WAYS)
    assert len(distillation.dimension_table(found).rows) == len(distillation.DIMENSIONS)
    assert all(figure.value is not None for figure in distillation.figures(found))


def test_a_job_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    job = every()[0][0]
    ran = distillation.train(job, tmp_path)
    assert distillation.train(job, tmp_path) == ran  # seconds and all
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_students_are_small_and_learn_from_what_is_not_tested(task: distillation.Task) -> None:
    learn, test = examples(task)
    assert len(learn[0]) == 500
    assert len(test[0]) == 1297
    big, small = (sum(p.numel() for p in task.make(size, 0).parameters()) for size in (TEACHER, STUDENT))
    assert big > 8 * small
    assert BY_NAME[task.name] is task
    assert torch.isfinite(task.make(STUDENT, 0)(test[0][:2])).all()
