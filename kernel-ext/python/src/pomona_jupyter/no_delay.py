"""A Jupyter Server extension: what a kernel says is sent at once.

A cell or a task is answered by several small messages. By default the system holds back the second until the first is acknowledged, and the other
side acknowledges late, so that each answer takes 40 ms longer than it needs.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pomona_jupyter.no_delay"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    settings = serverapp.web_app.settings
    name = "kernel_websocket_connection_class"
    if isinstance(settings.get(name), type):
        settings[name] = without_delay(settings[name])


def without_delay(base: type) -> type:
    """The server's class of connections between a client and a kernel, on sockets that hold nothing back."""

    class PromptConnection(base):  # type: ignore[misc,valid-type]
        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    return PromptConnection
