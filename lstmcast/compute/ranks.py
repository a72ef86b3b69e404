"""The ranks of one large fit that torchrun started: who this process is among them, what they reckon together.

The only reader of RANK and WORLD_SIZE. Knows no model, data or files. Every command asks it at its
start, so it loads numpy and torch only where they are needed.

Series are dealt out like cards: rank r of R holds series r, r + R, r + 2R... and what is computed
of them. Random numbers are drawn alike by all ranks, for all series, and each rank does what falls
on its own; sums over the ranks are then what one process would have reckoned, but for the order in
which it adds.
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
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch.distributed import Store  # type: ignore[attr-defined]

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MAX_RANK_SILENCE_SECONDS = 600.0
"""Seconds that ranks wait for one that is silent. A process that ends is noticed at once."""
_MET_KEY = "ranks of this fit have met"


class LostRankError(ResourceError):
    """Another rank has ended, or has been silent for too long."""


@dataclass(frozen=True)
class RankGroup:
    """The ranks of a fit, and which of them this process is. The first alone speaks and writes."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank speaks and writes."""
        return self.rank == 0

    def own(self, count: int) -> "Ints":
        """Which of `count` series are held here, [n]."""
        import numpy as np

        return np.arange(self.rank, count, self.size)

    def holds(self, series: "Ints") -> "NDArray[np.bool_]":
        """Whether each of these series is held here."""
        held: NDArray[np.bool_] = series % self.size == self.rank
        return held

    def place(self, series: "Ints") -> "Ints":
        """Places of series that are held here among all that are."""
        return series // self.size

    def average(
        self, parameters: "Iterable[torch.Tensor]", figures: Sequence[float], weight: float
    ) -> tuple[float, ...]:
        """Make gradients those of the mean over all ranks, each with its `weight`; returns the means of `figures`.

        Every rank ends with the same bits. A rank whose weight is 0 has no say, whatever its
        gradients are.
        """
        if self.size == 1:
            return tuple(figures)
        import torch

        owners = list(parameters)
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in owners]
        facts = torch.tensor([*figures, 1.0], dtype=owners[0].dtype, device=owners[0].device)
        flat = torch.cat([*(part.flatten() for part in parts), facts])
        flat = flat * weight if weight else torch.zeros_like(flat)
        self._all_reduce(flat)
        flat /= flat[-1].clamp(min=1.0)
        *means, last = torch.split(flat, [*(p.numel() for p in owners), len(facts)])
        for owner, mean in zip(owners, means, strict=True):
            owner.grad = mean.view_as(owner)
        return tuple(last[:-1].tolist())

    def total(self, *figures: float) -> list[float]:
        """Sums of figures over the ranks."""
        import numpy as np

        return self._sum_over_ranks(np.array(figures, dtype=np.float64)).tolist()  # type: ignore[no-any-return]

    def is_true_on_any_rank(self, *, wish: bool) -> bool:
        """Whether any rank wishes it."""
        return self.total(float(wish))[0] > 0

    def whole(self, part: "Floats", places: "Ints", count: int, axis: int) -> "Floats":
        """The array of `count` rows along an axis of which every rank has a part: this one the rows at `places`."""
        if self.size == 1:
            return part
        import numpy as np

        out = np.zeros((*part.shape[:axis], count, *part.shape[axis + 1 :]))
        np.moveaxis(out, axis, 0)[places] = np.moveaxis(part, axis, 0)
        return self._sum_over_ranks(out)

    def broadcast_from_first(self, say: Callable[[], bytes]) -> bytes:
        """What the first rank says, which alone is asked."""
        if self.size == 1:
            return say()
        import numpy as np
        import torch
        from torch.distributed import broadcast

        word = np.frombuffer(say() if self.first else b"", dtype=np.uint8)
        length = torch.tensor([len(word)])
        with _as_lost_rank_errors():
            broadcast(length, 0)
        heard = (
            torch.from_numpy(word.copy())
            if self.first
            else torch.empty(int(length), dtype=torch.uint8)
        )
        if len(heard):
            with _as_lost_rank_errors():
                broadcast(heard, 0)
        return heard.numpy().tobytes()

    def _sum_over_ranks(self, array: "Floats") -> "Floats":
        if self.size > 1 and array.size:
            import torch

            self._all_reduce(torch.from_numpy(array))
        return array

    def _all_reduce(self, tensor: "torch.Tensor") -> None:
        from torch.distributed import all_reduce

        with _as_lost_rank_errors():
            all_reduce(tensor)


SINGLE_RANK = RankGroup()
_CURRENT_GROUP: ContextVar[RankGroup] = ContextVar("team", default=SINGLE_RANK)


def current_rank_group() -> RankGroup:
    """The ranks that this block of the program works with; outside of `joined`, this process alone."""
    return _CURRENT_GROUP.get()


def launched_rank_group() -> RankGroup:
    """The ranks that torchrun has started, whether they have met yet or not."""
    try:
        found = RankGroup(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    except ValueError:
        return SINGLE_RANK
    return found if 0 <= found.rank < found.size else SINGLE_RANK


def has_restarted() -> bool:
    """Whether torchrun had started ranks of this fit before, and they met; this process may be the only one left.

    Raises LostRankError where torchrun itself is lost.
    """
    with _as_lost_rank_errors():
        store = _torchrun_store()
        if store is not None:
            return store.check([_MET_KEY])
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


@contextlib.contextmanager
def join_rank_group(device: str = "auto") -> Iterator[RankGroup]:
    """Meet the other ranks that torchrun has started, if any, and work with them in this block.

    They talk through gloo, and of what is on GPUs through NCCL: each rank takes the GPU of its
    number on its host unless `device` is "cpu". Raises UsageError where it has none, or no torchrun
    is there to meet by; from then on LostRankError where one ends early.
    """
    found = launched_rank_group()
    if found.size == 1:
        with _as_lost_rank_errors():
            _mark_ranks_met(_torchrun_store())
        yield SINGLE_RANK
        return
    import torch
    from torch import distributed

    gpus = torch.cuda.device_count() if device != "cpu" else 0
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if gpus and local >= gpus:
        raise UsageError(
            f"rank {found.rank} has no GPU: its host has {gpus}",
            f"torchrun --nproc-per-node={gpus}, or --device cpu",
        )
    if gpus:
        torch.cuda.set_device(local)
    try:
        with _as_lost_rank_errors():
            _init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    except ValueError as error:
        raise UsageError(
            f"WORLD_SIZE is {found.size}, but there is no way to meet the other ranks: {error}",
            "start with `torchrun --nproc-per-node=N -m lstmcast fit ...`, or unset WORLD_SIZE",
        ) from error
    token = _CURRENT_GROUP.set(found)
    try:
        yield found
        distributed.destroy_process_group()  # not after an error: whoever is lost cannot say good-bye
    finally:
        _CURRENT_GROUP.reset(token)


def _init_process_group(backend: str) -> None:
    """Find the other ranks of this start, by a store that may still hold where those of the starts before it were."""
    from torch.distributed import PrefixStore, init_process_group  # type: ignore[attr-defined]
    from torch.distributed.rendezvous import rendezvous

    wait, kept = timedelta(seconds=MAX_RANK_SILENCE_SECONDS), _torchrun_store()
    store, rank, size = next(rendezvous("env://", timeout=wait))
    if kept is not None:
        store = PrefixStore(_name_launch(kept, rank, size), store)
    init_process_group(backend, store=store, rank=rank, world_size=size, timeout=wait)
    _mark_ranks_met(kept)


def _name_launch(store: "Store", rank: int, size: int) -> str:
    """A name for this start of all ranks, which those of no other start have.

    torchrun's count of starts is not it: that of another host may differ, and hosts that join are
    not counted. So each rank asks the first one, which lives now if it answers a question that was
    never put before.
    """
    own = secrets.token_hex(8)
    if rank:
        store.set(f"asked by {rank}", own)
        name = store.get(f"answer to {own}").decode()
        store.set(f"{name} heard by {rank}", "")
        return name
    others, end = list(range(1, size)), time.monotonic() + MAX_RANK_SILENCE_SECONDS
    while others := [rank for rank in others if not store.check([f"{own} heard by {rank}"])]:
        if time.monotonic() > end:
            raise RuntimeError(f"ranks {others} do not answer")
        for other in others:
            store.set(
                f"answer to {store.get(f'asked by {other}').decode()}", own
            )  # of one that is gone: in vain
        time.sleep(0.05)
    return own


def _torchrun_store() -> "Store | None":
    """The store of torchrun itself, which outlives the ranks; None where there is none."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    place, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(
        place, port, is_master=False, timeout=timedelta(seconds=MAX_RANK_SILENCE_SECONDS)
    )


def _mark_ranks_met(store: "Store | None") -> None:
    """Let ranks that torchrun starts later know that there may be something to go on from."""
    if store is not None:
        store.set(_MET_KEY, "")


@contextlib.contextmanager
def _as_lost_rank_errors() -> Iterator[None]:
    """Let the failure of what ranks do together say that one is lost; raises LostRankError."""
    try:
        yield
    except RuntimeError as error:
        import torch

        if isinstance(error, torch.OutOfMemoryError):
            raise
        _ignore_sigterm()
        raise LostRankError(
            "another rank of this fit was lost, or is silent",
            "see what it said, or what torchrun says of it",
        ) from error


def _ignore_sigterm() -> None:
    """Ignore SIGTERM from now on: torchrun sends it as soon as one rank is lost, and this one is ending already."""
    ending: Any = signal.SIG_IGN
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ending)
