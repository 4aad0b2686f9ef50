"""The line on which the pages of a kernel's notebooks are told what they have not seen."""

from __future__ import annotations

import json
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from .cell_outputs import Message
from .keeper import OutputKeeper


class PageHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One notebook in one page.

    The page says ``hello`` with the notebook's path, the state of the file that it has and the session of its own connection to the kernel. It is told
    ``show`` (a cell with all its outputs), ``output`` (what is added), ``state`` and ``written`` (the server saved the file). It says ``mark`` where its state of the file is another, may answer
    the kernel's question (``input``) and says ``bye`` where its user closes the notebook. After a loss of one of its connections it says (in ``hello``, or by ``back`` where
    only that to the kernel was lost) what runs as far as it knows; what never arrived here is ``lost``.
    """

    auth_resource = "kernels"

    def initialize(self, keeper: OutputKeeper) -> None:
        self.keeper = keeper
        self.recorder: Any = None
        self.path = ""
        self.mark: str | None = None
        self.session = ""
        self.shown: set[str] = set()

    def set_default_headers(self) -> None:
        """Headers of pages mean nothing here."""

    def get_compression_options(self) -> Any:
        return self.settings.get("websocket_compression_options")

    @ws_authenticated
    async def get(self, kernel_id: str) -> None:  # type: ignore[override]
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "execute", "kernels")):
            raise web.HTTPError(403)
        if kernel_id not in self.kernel_manager:
            raise web.HTTPError(404, "There is no such kernel")
        self.kernel_id = kernel_id
        await super().get(kernel_id)

    def open(self, kernel_id: str) -> None:  # type: ignore[override]
        super().open()

    async def on_message(self, text: str | bytes) -> None:  # type: ignore[override]
        message = json.loads(text)
        kind = message.get("type")
        if kind == "hello" and self.recorder is None and self.kernel_id in self.kernel_manager:
            self.path = str(message["path"]).strip("/")
            self.mark = message.get("mark")
            self.session = str(message["session"])
            recorder = self.keeper.recorder(self.kernel_id)
            await self.keeper.files.settled(self.path)
            if self.ws_connection is None:
                return
            self.recorder = recorder
            self.keeper.tell_written(self)
            recorder.welcome(self)
            if message.get("isBack"):
                recorder.returned(self, _ids(message.get("running")))
        elif kind == "back" and self.recorder is not None:
            self.recorder.returned(self, _ids(message.get("running")))
        elif kind == "mark" and self.recorder is not None:
            self.mark = message.get("mark")
            self.keeper.tell_written(self)
        elif kind == "input" and self.recorder is not None:
            self.recorder.answer(str(message["id"]), str(message["value"]))
        elif kind == "bye" and self.recorder is not None:
            self.keeper.left(self.recorder, self.session)

    def on_close(self) -> None:
        if self.recorder is not None:
            self.recorder.parted(self)

    def tell(self, message: Message) -> None:
        if self.ws_connection is None:
            return
        try:
            self.write_message(json.dumps(message))
        except WebSocketClosedError:
            self.recorder.parted(self)


def _ids(value: Any) -> list[str]:
    return [str(id) for id in value] if isinstance(value, list) else []
