"""Several processes that train one model together: equal starts, averaged gradients, one of them writes.

Two processes of one thread each use two CPU cores better than one process of two threads; on GPUs, one process each.
"""

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn


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
        """Give every process the leader's parameters and buffers."""
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


def run_together(main: Callable[..., None], arguments: tuple[Any, ...], count: int) -> None:
    """Call main(workers, *arguments) in `count` processes and wait; under torchrun, join those that it started."""
    if "WORLD_SIZE" in os.environ:
        _enter(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), "env://", main, arguments)
    elif count == 1:
        main(Workers(), *arguments)
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        spawn(_enter, (count, address, main, arguments), nprocs=count)


def _enter(rank: int, count: int, address: str, main: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(rank % torch.cuda.device_count())
    else:
        torch.set_num_threads(1)
    distributed.init_process_group("nccl" if on_gpu else "gloo", init_method=address, rank=rank, world_size=count)
    try:
        main(Workers(rank, count), *arguments)
    finally:
        distributed.destroy_process_group()
