"""What clients ask about models: which there are, to load one, and to unload it."""

import asyncio

from bridge.daemon.background import BackgroundAnswers
from bridge.daemon.osc_server import Address, OscServer
from bridge.errors import BusyError
from bridge.farm.supervisor import FarmSupervisor
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import Done, Fail, Models, ModelsReply, Progress, Reply, Unload, UseModel


class ModelRequests:
    """Handles the requests about models, all in the background: a process has to start for them, or to load."""

    def __init__(
        self, server: OscServer, supervisor: RenderSupervisor | FarmSupervisor, background: BackgroundAnswers
    ) -> None:
        self._server, self._supervisor, self._background = server, supervisor, background
        self._loading: set[tuple[str, Address]] = set()
        self._listing: asyncio.Task[ModelsReply | Fail] | None = None

    def list_models(self, request: Models, sender: Address) -> None:
        """Send the names of the installed models."""
        self._background.run_in_background(self._list(), request, sender)

    def use(self, request: UseModel, sender: Address) -> None:
        """Load a model; a client that asks again while it loads gets another progress, and in the end one answer."""
        self._server.send(Progress("", 0.0, "loading"), sender)
        key = (request.model, sender)
        if key not in self._loading:
            self._loading.add(key)
            self._background.run_in_background(self._load(key), UseModel(model=request.model), sender)

    def unload(self, request: Unload, sender: Address) -> None:
        """Unload the model. Fails with BusyError while something renders."""
        self._background.run_in_background(self._unload(), request, sender)

    async def _list(self) -> Reply:
        # One question to the process for all clients that ask at the same time: none of them needs a token, and they
        # may ask as often as they like. shield, so that a client's task that ends does not take the others' answer.
        if self._listing is None or self._listing.done():
            self._listing = self._background.start(self._supervisor.models())
        return await asyncio.shield(self._listing)

    async def _load(self, key: tuple[str, Address]) -> Reply:
        try:
            return await self._supervisor.use_model(key[0])
        finally:
            self._loading.discard(key)

    async def _unload(self) -> Reply:
        if self._supervisor.state != "idle":
            raise BusyError(Unload.address)
        await self._supervisor.stop()
        return Done(Unload.address, "")
