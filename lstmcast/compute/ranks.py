"""The ranks of one large fit that torchrun started: which one this is, and sums over all of them.

The only reader of RANK and WORLD_SIZE. Knows no model, data or files. Every command asks it at its
start, so it loads numpy and torch only where they are needed.

Series are dealt out like cards: rank r of R holds series r, r + R, r + 2R... and what is computed
of them. All ranks draw the same random numbers, for all series, and each rank uses those of its own
series; sums over the ranks are then what one process would have computed, except for the order of
the additions.

Axes: N series, n of them held here.
"""

import contextlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lstmcast.errors import ResourceError, UsageError

if TYPE_CHECKING:
    import torch
    from torch.distributed import Store  # type: ignore[attr-defined]

    from lstmcast.ragged import Bools, Floats, Ints

MAX_RANK_SILENCE_SECONDS = 600.0
"""Seconds that ranks wait for one that is silent; a process that ends is noticed at once."""
_MET_KEY = "ranks of this fit have met"


class LostRankError(ResourceError):
    """Another rank has ended, or has been silent for too long."""


@dataclass(frozen=True)
class RankGroup:
    """The ranks of a fit, and which of them this process is; only the first one reports and writes.

    rank: number of this process. size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank reports and writes."""
        return self.rank == 0

    def own_series(self, count: int) -> "Ints":
        """Numbers of the series held here, of `count` in all, [n]."""
        import numpy as np

        return np.arange(self.rank, count, self.size)

    def holds(self, series: "Ints") -> "Bools":
        """Whether each of these series is held here."""
        held: Bools = series % self.size == self.rank
        return held

    def local_places(self, series: "Ints") -> "Ints":
        """Places that series held here have among all that are."""
        return series // self.size

    def average(
        self,
        parameters: "Iterable[torch.Tensor]",
        figures: Sequence[float],
        weight: float,
    ) -> tuple[float, ...]:
        """Replace gradients by their mean over the ranks, each counted by its `weight`.

        Returns the means of `figures`. All ranks end with the same bits. A rank of weight 0
        contributes nothing, whatever its gradients are.
        """
        if self.size == 1:
            return tuple(figures)
        import torch

        owners = list(parameters)
        gradients = [
            torch.zeros_like(owner) if owner.grad is None else owner.grad
            for owner in owners
        ]
        # All in one message: the gradients, the figures, and a 1 whose sum is that of the weights.
        like = owners[0]
        tail = torch.tensor([*figures, 1.0], dtype=like.dtype, device=like.device)
        flat = [gradient.flatten() for gradient in gradients]
        message = torch.cat([*flat, tail])
        # Times 0 would leave NaN and infinity as they are.
        message = message * weight if weight else torch.zeros_like(message)
        self._all_reduce(message)
        message /= message[-1].clamp(min=1.0)
        sizes = [owner.numel() for owner in owners]
        *means, mean_tail = torch.split(message, [*sizes, len(tail)])
        for owner, mean in zip(owners, means, strict=True):
            owner.grad = mean.view_as(owner)
        return tuple(mean_tail[:-1].tolist())

    def total(self, *figures: float) -> list[float]:
        """Sums of figures over the ranks."""
        import numpy as np

        own = np.array(figures, dtype=np.float64)
        sums = self._sum_over_ranks(own)
        return sums.tolist()  # type: ignore[no-any-return]

    def is_true_on_any_rank(self, *, here: bool) -> bool:
        """Whether a condition holds on any rank; `here` is whether it holds on this one."""
        return self.total(float(here))[0] > 0

    def gather(self, part: "Floats", places: "Ints", count: int, axis: int) -> "Floats":
        """The array of `count` rows along an axis, of which this rank has those at `places`."""
        if self.size == 1:
            return part
        import numpy as np

        # Rows of other ranks are 0 here, so that the sum over the ranks has each row once.
        shape = list(part.shape)
        shape[axis] = count
        rows = np.zeros(shape)
        # A view, through which the rows of the array itself are set.
        rows_first = np.moveaxis(rows, axis, 0)
        rows_first[places] = np.moveaxis(part, axis, 0)
        return self._sum_over_ranks(rows)

    def broadcast_from_first(self, make_bytes: Callable[[], bytes]) -> bytes:
        """Bytes that the first rank makes, sent to all of them."""
        if self.size == 1:
            return make_bytes()
        import numpy as np
        import torch
        from torch.distributed import broadcast

        data = make_bytes() if self.first else b""
        sent = np.frombuffer(data, dtype=np.uint8)
        # The length goes first, so that the others have room for what follows.
        length = torch.tensor([len(sent)])
        with _as_lost_rank_errors():
            broadcast(length, 0)
        if self.first:
            received = torch.from_numpy(sent.copy())  # bytes are read-only
        else:
            received = torch.empty(int(length), dtype=torch.uint8)
        if len(received):
            with _as_lost_rank_errors():
                broadcast(received, 0)
        return received.numpy().tobytes()

    def _sum_over_ranks(self, array: "Floats") -> "Floats":
        """Sum an array over the ranks, in place."""
        if self.size > 1 and array.size:
            import torch

            self._all_reduce(torch.from_numpy(array))
        return array

    def _all_reduce(self, tensor: "torch.Tensor") -> None:
        from torch.distributed import all_reduce

        with _as_lost_rank_errors():
            all_reduce(tensor)


SINGLE_RANK = RankGroup()
_CURRENT_GROUP: ContextVar[RankGroup] = ContextVar("rank group", default=SINGLE_RANK)


def current_rank_group() -> RankGroup:
    """The ranks that work together in this block; outside of `join_rank_group` this process."""
    return _CURRENT_GROUP.get()


def launched_rank_group() -> RankGroup:
    """The ranks that torchrun has started, whether or not they have met yet."""
    try:
        rank = int(os.environ.get("RANK", "0"))
        size = int(os.environ.get("WORLD_SIZE", "1"))
    except ValueError:
        return SINGLE_RANK
    return RankGroup(rank, size) if 0 <= rank < size else SINGLE_RANK


def has_restarted() -> bool:
    """Whether torchrun had started ranks of this fit before, and they met.

    This process may be the only one left of them. Raises LostRankError where torchrun itself is
    lost.
    """
    with _as_lost_rank_errors():
        store = _torchrun_store()
        if store is not None:
            return store.check([_MET_KEY])
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


@contextlib.contextmanager
def join_rank_group(device: str = "auto") -> Iterator[RankGroup]:
    """Meet the other ranks that torchrun has started, if any, and work with them in this block.

    They communicate through gloo, and about what is on GPUs through NCCL: each rank takes the GPU
    of its number on its host unless `device` is "cpu". Raises UsageError where there is no such
    GPU, or no torchrun to meet by; from then on LostRankError where a rank ends early.
    """
    group = launched_rank_group()
    if group.size == 1:
        with _as_lost_rank_errors():
            _mark_ranks_met(_torchrun_store())
        yield SINGLE_RANK
        return
    import torch
    from torch import distributed

    gpus = torch.cuda.device_count() if device != "cpu" else 0
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if gpus and local_rank >= gpus:
        raise UsageError(
            f"rank {group.rank} has no GPU: its host has {gpus}",
            f"torchrun --nproc-per-node={gpus}, or --device cpu",
        )
    if gpus:
        torch.cuda.set_device(local_rank)
    try:
        with _as_lost_rank_errors():
            _init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    except ValueError as error:
        raise UsageError(
            f"WORLD_SIZE is {group.size}, but there is no way to meet the other ranks: {error}",
            "start with `torchrun --nproc-per-node=N -m lstmcast fit ...`, or unset WORLD_SIZE",
        ) from error
    token = _CURRENT_GROUP.set(group)
    try:
        yield group
        # Not after an error: a rank that is lost would be waited for.
        distributed.destroy_process_group()
    finally:
        _CURRENT_GROUP.reset(token)


def _init_process_group(backend: str) -> None:
    """Find the other ranks of this launch.

    The store that they meet by may still hold the addresses of launches before it, so each launch
    has keys of its own.
    """
    from torch.distributed import PrefixStore, init_process_group  # type: ignore[attr-defined]
    from torch.distributed.rendezvous import rendezvous

    timeout = timedelta(seconds=MAX_RANK_SILENCE_SECONDS)
    outliving_store = _torchrun_store()
    store, rank, size = next(rendezvous("env://", timeout=timeout))
    if outliving_store is not None:
        store = PrefixStore(_name_launch(outliving_store, rank, size), store)
    init_process_group(
        backend, store=store, rank=rank, world_size=size, timeout=timeout
    )
    _mark_ranks_met(outliving_store)


def _name_launch(store: "Store", rank: int, size: int) -> str:
    """A name for this launch of all ranks, which no other launch has.

    torchrun's count of launches does not serve: that of another host may differ, and hosts that
    join are not counted. So each rank asks the first one, which is of this launch if it answers a
    question that was never asked before.
    """
    token = secrets.token_hex(8)
    if rank:
        store.set(f"asked by {rank}", token)
        name = store.get(f"answer to {token}").decode()
        store.set(f"{name} heard by {rank}", "")
        return name
    deadline = time.monotonic() + MAX_RANK_SILENCE_SECONDS
    others = list(range(1, size))
    while others := [
        rank for rank in others if not store.check([f"{token} heard by {rank}"])
    ]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"ranks {others} do not answer")
        for other in others:
            # The question may be one of a rank that is gone; answering it does no harm.
            question = store.get(f"asked by {other}").decode()
            store.set(f"answer to {question}", token)
        time.sleep(0.05)
    return token


def _torchrun_store() -> "Store | None":
    """The store of torchrun itself, which outlives the ranks; None where there is none."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    host = os.environ["MASTER_ADDR"]
    port = int(os.environ["MASTER_PORT"])
    timeout = timedelta(seconds=MAX_RANK_SILENCE_SECONDS)
    return TCPStore(host, port, is_master=False, timeout=timeout)


def _mark_ranks_met(store: "Store | None") -> None:
    """Let ranks that torchrun starts later know that there may be a checkpoint to go on from."""
    if store is not None:
        store.set(_MET_KEY, "")


@contextlib.contextmanager
def _as_lost_rank_errors() -> Iterator[None]:
    """Raise LostRankError where what ranks do together fails, unless GPU memory was short."""
    try:
        yield
    except RuntimeError as error:
        import torch

        # Memory that ran out here is no loss of another rank.
        if isinstance(error, torch.OutOfMemoryError):
            raise
        _ignore_sigterm()
        raise LostRankError(
            "another rank of this fit was lost, or is silent",
            "see its messages, or those of torchrun",
        ) from error


def _ignore_sigterm() -> None:
    """Ignore SIGTERM from now on: this process is ending already.

    torchrun sends it to the other ranks as soon as one is lost.
    """
    ignore: Any = signal.SIG_IGN
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ignore)
