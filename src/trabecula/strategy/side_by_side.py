"""Work on threads of our own: what the threads publish while they work is yielded as it comes.

A generator can only yield on the thread that drives it. So the work puts what it publishes into a queue that
the generator empties. The queue is short: where nobody takes the items the work waits, and fills no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import Generic, TypeVar

from trabecula.numerics.errstate import set_errstate

Item = TypeVar("Item")
End = TypeVar("End")

Publish = Callable[[Item], None]
"""Hands an item to whoever listens; raises `StoppedError` where nobody listens any more."""

WAITING = 2
"""Items per thread that may wait in the queue."""

PATIENCE = 0.1
"""Seconds after which a thread that finds the queue full looks whether anybody still listens."""


class StoppedError(Exception):
    """Raised in a thread whose generator was closed, to end its work."""


class _Channel(Generic[Item]):
    """The queue between the threads and the generator; an item None says that a piece of work has ended.

    It is rarely full, so that waiting for room may cost more than putting an item.
    """

    def __init__(self, size: int) -> None:
        self._queue: SimpleQueue[tuple[int, Item | None]] = SimpleQueue()
        self._size = size
        self._has_room, self._is_closed = Event(), Event()
        self._has_room.set()

    def put(self, place: int, item: Item | None) -> None:
        while self._queue.qsize() >= self._size and not self._is_closed.is_set():
            self._has_room.clear()
            if self._queue.qsize() >= self._size:
                self._has_room.wait(PATIENCE)
        self.check()
        self._queue.put((place, item))

    def get(self) -> tuple[int, Item | None]:
        found = self._queue.get()
        if not self._has_room.is_set():
            self._has_room.set()
        return found

    def close(self) -> None:
        self._is_closed.set()

    def check(self) -> None:
        if self._is_closed.is_set():
            raise StoppedError


def run_side_by_side(
    work: Sequence[Callable[[Publish[Item]], End]], workers: int
) -> Generator[tuple[int, Item], None, list[End]]:
    """Do several pieces of work at once, and yield what they publish together with the place of the piece.

    Parameters
    ----------
    work
        Each is called on one of the threads with a function that publishes an item.
    workers
        Threads.

    Yields
    ------
    tuple of int and item
        In the order in which the items come; those of one piece keep their order.

    Returns
    -------
    list
        What the pieces return, in the order of `work`.

    Raises
    ------
    Exception
        What a piece of work raises. The others end at what they would publish next, as they do where the
        generator is closed.
    """
    channel: _Channel[Item] = _Channel(WAITING * workers)

    def begin(place: int, piece: Callable[[Publish[Item]], End]) -> End:
        channel.check()
        try:
            return piece(lambda item: channel.put(place, item))
        finally:
            channel.put(place, None)

    with ThreadPoolExecutor(workers, initializer=set_errstate) as crew:
        try:
            futures = [crew.submit(begin, place, piece) for place, piece in enumerate(work)]
            running = len(futures)
            while running:
                place, item = channel.get()
                if item is None:
                    futures[place].result()
                    running -= 1
                else:
                    yield place, item
            return [future.result() for future in futures]
        finally:  # also where the generator is closed or interrupted: let nobody work on
            channel.close()
