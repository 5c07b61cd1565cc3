"""How many threads to work on."""

from __future__ import annotations

import os
import re


def processor_count() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: int | None = None) -> int:
    """Threads to use: as many as asked for, else OMP_NUM_THREADS, else all processors; never more than those.

    More threads than processors only take turns, and results do not depend on the number. OMP_NUM_THREADS may
    be a list (the first entry counts); what is not a positive number there is taken for not set.
    """
    processors = processor_count()
    if threads is None:
        given = re.match(r"\s*\+?0*([1-9][0-9]*)\s*(,|$)", os.environ.get("OMP_NUM_THREADS", ""), re.ASCII)
        threads = int(given[1][:9]) if given else processors
    return max(1, min(threads, processors))
