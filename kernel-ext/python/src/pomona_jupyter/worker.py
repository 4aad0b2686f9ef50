"""The server's side of ``pomona worker``, which holds the other ends of two lines.

On its standard input it is told ``drain``; where that ends, the command is gone, and so goes the server with its kernels and the command's
folder. On descriptor 3 it tells that it listens, and that it drains.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import queue
import shutil
import tempfile
import time
from typing import Any

from jupyter_core.paths import jupyter_config_dir
from jupyter_server.serverapp import launch_new_instance
from tornado import web

COMMANDS = 0
EVENTS = 3
# The comm by which a session elsewhere has tasks run in a kernel.
TASKS = "pomona.worker"
# How often it is looked whether anything runs still, and how often a kernel is asked that does not answer, in seconds.
LOOKS_EVERY = 0.1
ASKED_EVERY = 5


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pomona_jupyter.worker"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    # The server takes a token file's last line end for a part of the token.
    serverapp.identity_provider.token = serverapp.identity_provider.token.strip()
    # The callback that makes it listen is added after extensions are loaded: one that is added by a callback comes behind it.
    serverapp.io_loop.add_callback(serverapp.io_loop.add_callback, _listening, serverapp)


def main() -> None:
    """Starts Jupyter Server, whose own folders are within the command's: none is left, however the one or the other ends."""
    state = os.environ["POMONA_WORKER_STATE"]
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    tempfile.tempdir = state
    # With JUPYTER_NO_CONFIG an empty one, which is made once in a process where temporary files are, and left.
    jupyter_config_dir()
    tempfile.tempdir = None
    launch_new_instance()


def _listening(serverapp: Any) -> None:
    asyncio.get_running_loop().add_reader(COMMANDS, _told, serverapp)
    _tell({"event": "ready", "port": serverapp.port})


def _tell(event: dict[str, Any]) -> None:
    os.write(EVENTS, json.dumps(event).encode() + b"\n")


def _told(serverapp: Any) -> None:
    text = os.read(COMMANDS, 1024)
    if text.strip() == b"drain":
        _drain(serverapp)
    elif not text:
        asyncio.get_running_loop().remove_reader(COMMANDS)
        serverapp.stop()


def _drain(serverapp: Any) -> None:
    manager, sessions = serverapp.kernel_manager, serverapp.session_manager
    known = sessions.session_exists

    async def refuse(*_: Any, **__: Any) -> str:
        raise web.HTTPError(503, "This worker is about to end, and starts no kernel.")

    async def only_known(path: str) -> bool:
        return await known(path) or bool(await refuse())

    manager.start_kernel = refuse
    # What a session's kernel is refused with, its handler would hand on as a failure of the server, 500.
    sessions.session_exists = only_known
    _tell({"event": "draining"})

    async def ended() -> None:
        kernels = {kernel_id: _TaskKernel(manager, kernel_id) for kernel_id in manager.list_kernel_ids()}
        while True:
            for gone in [kernel for kernel in kernels if kernel not in manager]:
                kernels.pop(gone).close()
            running = list(kernels)
            serve = await asyncio.gather(*(kernels[kernel].serves() for kernel in running))
            if not any(serve) and not any(model["execution_state"] == "busy" for model in manager.list_kernels()):
                break
            await asyncio.sleep(LOOKS_EVERY)
        for kernel in kernels.values():
            kernel.close()
        serverapp.stop()

    serverapp.worker_drain = asyncio.ensure_future(ended())


class _TaskKernel:
    """A kernel that may run tasks of a session elsewhere. Its session ends it when it was told, and the tasks that run are done."""

    def __init__(self, manager: Any, kernel_id: str) -> None:
        self._is_there = lambda: kernel_id in manager
        self._is_starting = lambda: self._is_there() and manager.kernel_model(kernel_id)["execution_state"] not in ("idle", "busy")
        self._client = manager.get_kernel(kernel_id).client()
        self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        self._told: set[str] = set()

    async def serves(self) -> bool:
        """Whether a session is connected to it, which is told once that it gets no further task."""
        comms = await self._sessions()
        for comm in comms - self._told:
            self._send("comm_msg", {"comm_id": comm, "data": {"type": "drain"}})
        self._told |= comms
        return len(comms) > 0

    def close(self) -> None:
        self._client.stop_channels()

    async def _sessions(self) -> set[str]:
        # Each time anew, as a kernel that is started again has not heard what the one before it was asked.
        asked: set[str] = set()
        while self._is_there():
            asked.add(self._send("comm_info_request", {"target_name": TASKS}))
            until = time.monotonic() + ASKED_EVERY
            while self._is_there() and time.monotonic() < until:
                try:
                    reply = await self._client.get_shell_msg(timeout=LOOKS_EVERY)
                except queue.Empty:
                    continue
                if reply["parent_header"].get("msg_id") in asked:
                    return set(reply["content"].get("comms", {}))
            # One that has spoken before may have tasks, however slow its machine is.
            if self._is_starting():
                break
        return set()

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._client.session.msg(kind, content)
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]


if __name__ == "__main__":
    main()
