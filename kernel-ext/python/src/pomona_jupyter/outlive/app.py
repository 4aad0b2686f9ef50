"""The extension as Jupyter Server loads it."""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from traitlets import Bool

from .connection import recorded
from .keeper import OutputKeeper
from .pages import PageHandler

KERNEL_ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"


class OutliveApp(ExtensionApp):
    """Output that outlives the page."""

    name = "pomona_outlive"
    description = "What a cell shows outlives the page that ran it."
    classes = [OutputKeeper]
    enabled = Bool(True, config=True, help="False leaves the server as it is without this extension.")

    keeper: OutputKeeper | None = None

    def initialize_handlers(self) -> None:
        if not self.enabled:
            return
        server: Any = self.serverapp
        base = self.settings.get("kernel_websocket_connection_class")
        if not (isinstance(base, type) and issubclass(base, ZMQChannelsWebsocketConnection)):
            # With a gateway the kernels are another server's, which may have this extension itself.
            self.log.warning("Outputs do not outlive their page: this server's connections to kernels are %s", base)
            return
        keeper = OutputKeeper(server.kernel_manager, server.session_manager, server.contents_manager, parent=self)
        self.keeper = keeper
        server.web_app.settings["kernel_websocket_connection_class"] = recorded(base, keeper)
        self.handlers.append((r"/api/pomona/outlive/(\w+-\w+-\w+-\w+-\w+)", PageHandler, {"keeper": keeper}))

        async def acted(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
            if data.get("action") in ("restart", "shutdown"):
                await keeper.kernel_action(data["action"], data["kernel_id"])

        server.event_logger.add_listener(schema_id=KERNEL_ACTIONS, listener=acted)

    async def stop_extension(self) -> None:
        if self.keeper is not None:
            await self.keeper.stop()
