"""Which segments a new generation shares with the one before, and which are written anew with what is new.

A segment costs a search a little and an edit nothing, so few and unequal ones are wanted: a large base, and
behind it ones so much smaller that writing them again is cheap (a log-structured merge, O'Neil et al. 1996).
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.store.manifest import SegmentRecord

SMALL_PASSAGES = 5_000  # below it everything is written anew: one segment, in a second or two
DEAD_SHARE = 0.05  # of the base: with more that is dead, or beside it, all is written anew
STEP = 4  # times what comes after it a segment must hold to be left as it is


def shared_segments(segments: Sequence[SegmentRecord], n_new: int) -> tuple[SegmentRecord, ...]:
    """The segments to keep as they are when ``n_new`` passages come; what lives in the others goes with them.

    >>> base, small = SegmentRecord("1", 9, 90_000, 0, 0, ""), SegmentRecord("2", 1, 500, 0, 0, "")
    >>> [one.name for one in shared_segments([base, small], 40)]
    ['1', '2']
    >>> [one.name for one in shared_segments([base, small], 400)]
    ['1']
    >>> shared_segments([base, small], 9_000)
    ()
    """
    if not segments:
        return ()
    living = [one.n_passages - one.n_dead_passages for one in segments]
    base = segments[0].n_passages
    beside = sum(living[1:]) + n_new
    if sum(living) < SMALL_PASSAGES or segments[0].n_dead_passages + beside > DEAD_SHARE * base:
        return ()
    n_kept, pending = len(segments), n_new
    while n_kept > 1 and (living[n_kept - 1] < STEP * pending or not living[n_kept - 1]):
        n_kept -= 1
        pending += living[n_kept]
    return tuple(segments[:n_kept])
