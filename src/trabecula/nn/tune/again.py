"""After a search: the network of a trial made again, and the finalists timed side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optuna.trial import FixedTrial

from trabecula.nn.tune.candidate import Candidate, Network
from trabecula.nn.tune.outcome import TrialResult
from trabecula.nn.tune.storage import TuneError
from trabecula.nn.tune.timing import Timing, time_together
from trabecula.nn.tune.trial import reports, use_seed


def retrain(candidate: Candidate, tried: TrialResult) -> Network:
    """Run a trial again, to its end, with its settings and its seed: the same weights, on the same machine.

    Raises
    ------
    TuneError
        Where the candidate yields no `Network`.
    """
    network: Network | None = None
    with use_seed(tried.seed):
        for report in reports(candidate, _fixed_trial(tried)):
            network = report if isinstance(report, Network) else network
    if network is None:
        raise TuneError("the candidate yields no Network, so there is none to keep")
    return network


def remeasure(
    candidate: Candidate, tried: Sequence[TrialResult], timing: Timing | None = None
) -> tuple[TrialResult, ...]:
    """The trials with their latencies measured again, all in turn: the figures to compare and to quote.

    Networks are built and not trained.

    Raises
    ------
    TuneError
        Where the candidate does not yield a `Network` first.
    """
    networks = {str(place): _build(candidate, each) for place, each in enumerate(tried)}
    latencies = time_together(networks, timing or Timing())
    return tuple(
        replace(each, latency=new.median, low=new.low, high=new.high)
        for each, new in zip(tried, latencies.values(), strict=True)
    )


def _build(candidate: Candidate, tried: TrialResult) -> Network:
    with use_seed(tried.seed):
        stream = reports(candidate, _fixed_trial(tried))
        first = next(stream, None)
        stream.close()
    if not isinstance(first, Network):
        raise TuneError("the candidate does not yield a Network first, so there is nothing to time")
    return first


def _fixed_trial(tried: TrialResult) -> FixedTrial:
    return FixedTrial(dict(tried.settings), tried.number)
