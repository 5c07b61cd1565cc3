"""Sums, means, maxima and softmax over groups of rows, a chunk of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

How = Literal["sum", "mean", "max"]

CHUNK = 32_768
"""Edges handled at once: their messages stay in the processor's cache, and the peak of memory with them."""


def collect(
    messages: Callable[[slice], Tensor],
    into: Tensor,
    empty: Tensor,
    how: How,
    weight: Tensor | None = None,
    chunk: int = CHUNK,
) -> Tensor:
    """Collect messages at the nodes they end at; all of them never exist at once.

    Parameters
    ----------
    messages
        Makes the messages [slice, ...] of a slice of the edges.
    into
        [edge] int64: the row each message ends at.
    empty
        [row, ...] zeros: what is filled.
    how
        `sum`; `mean`, the sum over the number (or the sum of the weights) of messages; `max`, by entry.
    weight
        [edge]: what the messages were multiplied by, for `mean`.
    chunk
        Edges per slice. The result does not depend on it, except for how `max` shares its gradient among
        equals.

    Returns
    -------
    Tensor
        [row, ...]; zero where nothing ends.

    Raises
    ------
    ValueError
        For another `how` or a chunk below 1.
    """
    if how not in ("sum", "mean", "max"):
        raise ValueError(f"messages are collected by sum, mean or max, not by {how!r}")
    if chunk < 1:
        raise ValueError(f"a chunk holds at least one edge, not {chunk}")
    out = torch.full_like(empty, -torch.inf) if how == "max" else empty
    for first in range(0, len(into), chunk):
        part = slice(first, first + chunk)
        if how == "max":
            values = messages(part)
            rows = trailing(into[part], values).expand_as(values)
            out = out.scatter_reduce(0, rows, values, "amax")
        else:
            out = out.index_add_(0, into[part], messages(part))
    if how == "max":
        return torch.where(out == -torch.inf, torch.zeros_like(out), out)
    if how == "mean":
        ones = empty.new_ones(len(into)) if weight is None else weight.to(empty)
        total = empty.new_zeros(empty.shape[0]).index_add(0, into, ones)
        return out / trailing(torch.where(total == 0, torch.ones_like(total), total), out)
    return out


def softmax(score: Tensor, into: Tensor, rows: int, weight: Tensor | None = None) -> Tensor:
    """Softmax over the entries that share a row: w_e exp(s_e) / sum of w exp(s) over the same row.

    Parameters
    ----------
    score
        [entry, head].
    into
        [entry] int64: the row of each entry.
    rows
        How many rows.
    weight
        [entry] or [entry, head], at least zero: a prior (an adjacency weight, or the geometric term of
        ReGAT).

    Returns
    -------
    Tensor
        [entry, head]; sums to one in each row, or is zero where all weights of the row are.
    """
    rank = into[:, None].expand_as(score)
    top = score.detach().new_full((rows, score.shape[1]), -torch.inf)
    top = top.scatter_reduce(0, rank, score.detach(), "amax")
    grown = torch.exp(score - top[into])
    if weight is not None:
        grown = grown * trailing(weight.to(score), score)
    total = grown.new_zeros(rows, score.shape[1]).index_add(0, into, grown)
    return grown / total.clamp_min(torch.finfo(score.dtype).tiny)[into]


def trailing(value: Tensor, like: Tensor) -> Tensor:
    """The value with axes of length one behind, until it has as many as `like`."""
    return value.reshape(*value.shape, *(1,) * (like.ndim - value.ndim))
