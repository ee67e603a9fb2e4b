"""Several processes that train one model together: equal starts, averaged gradients, one of them writes.

Two processes of one thread each use two CPU cores better than one process of two threads; on GPUs, one process each.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn

from engine.training.training_errors import ProcessesError

_PATIENCE = timedelta(days=2)  # the others wait while one prepares clips; who fails, ends all at once


@dataclass(frozen=True)
class Workers:
    """This process's place among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, modules: Iterable[nn.Module]) -> None:
        """Copy the leader's parameters and buffers to every process."""
        if self.count > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    distributed.broadcast(tensor, 0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def wait(self) -> None:
        """Until every process has come here."""
        if self.count > 1:
            distributed.barrier()


def run_together(main: Callable[..., None], arguments: tuple[Any, ...], count: int, device: str = "cpu") -> None:
    """Call main(workers, *arguments) in `count` processes and wait; under torchrun, join those that it started."""
    if "WORLD_SIZE" in os.environ:
        with joined(device) as workers:
            main(workers, *arguments)
    elif count == 1:
        main(Workers(), *arguments)
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        spawn(_enter, (count, address, device, main, arguments), nprocs=count)


@contextmanager
def joined(device: str = "cpu") -> Iterator[Workers]:
    """Return this process's place among those that torchrun started, on one machine or several; alone without torchrun.

    All must see the same run folder. Nested calls return the same workers.
    """
    if distributed.is_initialized():
        yield Workers(distributed.get_rank(), distributed.get_world_size())
    elif "WORLD_SIZE" in os.environ:
        rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        with _group(rank, count, int(os.environ.get("LOCAL_RANK", rank)), "env://", device) as workers:
            yield workers
    else:
        yield Workers()


def refuse_crowding(num_processes: int, device: str) -> None:
    """Raise ProcessesError where processes would have to share a card; on the processor they may be any number."""
    kind, _, index = device.partition(":")
    num_processes = int(os.environ.get("LOCAL_WORLD_SIZE", num_processes))
    num_cards = torch.cuda.device_count() if kind == "cuda" and not index else 1
    if kind != "cpu" and num_processes > num_cards:
        raise ProcessesError(num_processes, device, num_cards)


def _enter(
    rank: int, count: int, address: str, device: str, main: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    with _group(rank, count, rank, address, device) as workers:
        main(workers, *arguments)


@contextmanager
def _group(rank: int, count: int, place: int, address: str, device: str) -> Iterator[Workers]:
    """The process group, entered and left again; `place` counts this machine's processes, and so its cards."""
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(place % torch.cuda.device_count())
    else:
        torch.set_num_threads(1)
    backend = "nccl" if on_gpu else "gloo"
    distributed.init_process_group(backend, init_method=address, rank=rank, world_size=count, timeout=_PATIENCE)
    workers = Workers(rank, count)
    try:
        yield workers
        workers.wait()  # no process disconnects while another still communicates
    finally:
        distributed.destroy_process_group()
