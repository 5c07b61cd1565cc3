"""Work on threads is told about while it goes on, and ends where nobody listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from trabecula.strategy.side_by_side import WAITING, Publish, run_side_by_side

COUNT = 40


def counting(start: int, count: int = COUNT) -> Callable[[Publish[int]], int]:
    def work(publish: Publish[int]) -> int:
        for k in range(start, start + count):
            publish(k)
        return start

    return work


def followed(steps: Generator[Any, None, Any], into: list[Any]) -> Iterator[Any]:
    into.append((yield from steps))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_item_comes_in_the_order_of_its_piece_and_results_in_the_order_of_the_work(
    workers: int,
) -> None:
    results: list[list[int]] = []
    found = list(followed(run_side_by_side([counting(100 * k) for k in range(4)], workers), results))
    assert results == [[0, 100, 200, 300]]
    for place in range(4):
        assert [item for k, item in found if k == place] == list(range(100 * place, 100 * place + COUNT))


def test_items_come_while_the_work_goes_on() -> None:
    """The work waits for what only the listener can give, after it has heard."""
    heard = threading.Event()

    def work(publish: Publish[str]) -> bool:
        publish("begun")
        return heard.wait(10.0)

    steps = run_side_by_side([work], 1)
    assert next(steps) == (0, "begun")
    heard.set()
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == [True]


def test_nobody_works_far_ahead_of_who_listens() -> None:
    made: list[int] = []

    def work(publish: Publish[int]) -> None:
        for k in range(COUNT):
            made.append(k)
            publish(k)

    steps = run_side_by_side([work], 1)
    next(steps)
    steps.close()
    assert len(made) <= WAITING + 2, "one heard, some waiting, one in the making"


def test_where_one_fails_its_error_comes_out_and_the_others_end() -> None:
    begun, ended = threading.Event(), threading.Event()

    def failing(publish: Publish[int]) -> int:
        assert begun.wait(10.0)
        raise ZeroDivisionError("inside")

    def endless(publish: Publish[int]) -> int:
        begun.set()
        try:
            while True:
                publish(0)
        finally:
            ended.set()

    with pytest.raises(ZeroDivisionError, match="inside"):
        list(run_side_by_side([failing, endless], 2))
    assert ended.is_set()


def test_pieces_that_have_not_begun_are_left_where_the_listener_goes() -> None:
    begun: list[int] = []

    def work(place: int) -> Callable[[Publish[int]], None]:
        def piece(publish: Publish[int]) -> None:
            begun.append(place)
            for k in range(COUNT):
                publish(k)

        return piece

    steps = run_side_by_side([work(k) for k in range(5)], 1)
    next(steps)
    steps.close()
    assert begun == [0]
