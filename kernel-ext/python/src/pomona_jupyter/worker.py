"""The server's side of ``pomona worker``, which holds the other ends of two lines.

On its standard input it is told ``drain``; where that ends, the command is gone, and so goes the server with its kernels. On descriptor 3 it tells
that it listens.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
from typing import Any

from jupyter_core.paths import jupyter_config_dir
from tornado import web

COMMANDS = 0
EVENTS = 3
# How often it is looked whether anything runs still, in seconds.
LOOKS_EVERY = 0.1


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pomona_jupyter.worker"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    if os.environ.get("JUPYTER_NO_CONFIG"):
        # An empty one that Jupyter makes for this process, and leaves.
        atexit.register(shutil.rmtree, jupyter_config_dir(), True)
    # The server takes a token file's last line end for a part of the token.
    serverapp.identity_provider.token = serverapp.identity_provider.token.strip()
    # Behind the callback that makes it listen.
    serverapp.io_loop.add_callback(_listening, serverapp)


def _listening(serverapp: Any) -> None:
    asyncio.get_running_loop().add_reader(COMMANDS, _told, serverapp)
    os.write(EVENTS, json.dumps({"event": "ready", "port": serverapp.port}).encode() + b"\n")


def _told(serverapp: Any) -> None:
    text = os.read(COMMANDS, 1024)
    if text.strip() == b"drain":
        _drain(serverapp)
    elif not text:
        asyncio.get_running_loop().remove_reader(COMMANDS)
        serverapp.stop()


def _drain(serverapp: Any) -> None:
    manager = serverapp.kernel_manager

    async def refuse(*_: Any, **__: Any) -> str:
        raise web.HTTPError(503, "This worker is about to end, and starts no kernel.")

    manager.start_kernel = refuse

    async def ended() -> None:
        while any(model["execution_state"] == "busy" for model in manager.list_kernels()):
            await asyncio.sleep(LOOKS_EVERY)
        serverapp.stop()

    serverapp.worker_drain = asyncio.ensure_future(ended())
