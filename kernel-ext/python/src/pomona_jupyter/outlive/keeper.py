"""Keeps what kernels show while no page looks on, and brings it to the notebook's file and to the pages that come."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from jupyter_core.utils import ensure_async
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from .cell_outputs import Message
from .executions import Execution
from .notebook_file import NotebookFiles, note_save
from .recorder import Recorder


class OutputKeeper(LoggingConfigurable):
    """A recorder for each kernel that a page has opened; who writes when."""

    max_bytes = Integer(
        64 << 20,
        config=True,
        help="Bytes of output kept for each kernel; a single cell has a quarter of them, beyond which the middle of its output goes.",
    )
    save_seconds = Float(
        10.0,
        config=True,
        help="How often, at most, the file of a notebook without its page is saved while a cell runs on.",
    )
    grace_seconds = Float(
        1.0,
        config=True,
        help="How long a page may be gone, or a cell at its end, before the server saves in the page's place.",
    )

    def __init__(self, kernels: Any, sessions: Any, contents: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kernels = kernels
        self._sessions = sessions
        self._recorders: dict[str, Recorder] = {}
        self._writes: dict[str, asyncio.Task[None]] = {}
        self._next_write: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._is_over = False
        self.files = NotebookFiles(contents)
        self.files.on_saved = self._saved
        self.files.watch()

    def recorder(self, kernel_id: str) -> Recorder:
        recorder = self._recorders.get(kernel_id)
        if recorder is None:
            recorder = Recorder(kernel_id, self._kernels.get_kernel(kernel_id), self.max_bytes, self._changed, self._evicted)
            self._recorders[kernel_id] = recorder
            self._kernels.add_restart_callback(kernel_id, recorder.end_all)
            self._kernels.add_restart_callback(kernel_id, recorder.end_all, "dead")
        return recorder

    async def kernel_action(self, action: str, kernel_id: str) -> None:
        """The server restarted or ended a kernel."""
        recorder = self._recorders.get(kernel_id)
        if recorder is None:
            return
        recorder.end_all()
        if action == "shutdown" and not self._is_over:
            del self._recorders[kernel_id]
            recorder.close()
            await self._write(recorder, recorder.unsaved())

    def left(self, recorder: Recorder, session: str) -> None:
        """A page closed a notebook for good: its user has seen what ended, and decided whether to save it."""
        for execution in recorder.executions:
            if execution.session == session and execution.status == "ended":
                execution.saved = execution.version

    async def find_paths(self, recorder: Recorder) -> list[str]:
        """Where the notebooks of a kernel are now."""
        running = await ensure_async(self._sessions.list_sessions())
        found = [one for one in running if (one.get("kernel") or {}).get("id") == recorder.kernel_id]
        paths = [str(one["path"]).strip("/") for one in found if one.get("type") == "notebook"]
        if paths:
            recorder.paths = paths
        return recorder.paths

    async def stop(self) -> None:
        """The server ends: what no page has saved is written now, and nothing later, since the server's loop may stop in the middle of it."""
        self._is_over = True
        tasks = list(self._writes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for recorder in list(self._recorders.values()):
            recorder.close(is_server_over=True)
            await self._write(recorder, [one for one in recorder.executions if not one.is_saved])

    def _changed(self, recorder: Recorder) -> None:
        """Something is new, or a page went: writes soon where no page will save it."""
        kernel = recorder.kernel_id
        if self._is_over or kernel in self._writes or not recorder.unsaved():
            return

        async def write() -> None:
            try:
                await asyncio.sleep(self.grace_seconds)
                # What runs on is not saved each second; what has ended is.
                while time.monotonic() < self._next_write.get(kernel, 0):
                    if all(one.status == "ended" for one in recorder.unsaved()):
                        break
                    await asyncio.sleep(self.grace_seconds)
                failures = self._failures.get(kernel, 0)
                if failures:
                    await asyncio.sleep(min(60, 2**failures))
                began = time.monotonic()
                self._failures[kernel] = 0 if await self._write(recorder, recorder.unsaved()) else failures + 1
                # A notebook whose save takes long is saved less often.
                took = time.monotonic() - began
                self._next_write[kernel] = time.monotonic() + max(self.save_seconds, 20 * took)
            finally:
                del self._writes[kernel]
            self._changed(recorder)

        self._writes[kernel] = asyncio.ensure_future(write())

    async def _write(self, recorder: Recorder, waiting: list[Execution]) -> bool:
        """Writes outputs into the kernel's notebooks. False where a file could not be saved."""
        is_done = True
        for path in await self.find_paths(recorder) if waiting else []:
            try:
                put = await self.files.put(path, waiting)
            except Exception as error:
                # It stays here: a page that comes is told, and it is tried again.
                self.log.warning("The outputs of %s could not be saved: %s", path, error)
                is_done = False
                continue
            if put:
                self.log.info("Saved into %s what %d cells showed without a page", path, len(put))
            waiting = [one for one in waiting if one not in put]
            for page in recorder.pages:
                self.tell_written(page)
        if is_done:
            # The notebook was not saved with these cells: there is no place for them.
            for execution in waiting:
                execution.saved = execution.version
        return is_done

    def tell_written(self, page: Any) -> None:
        message: Message | None = self.files.told(page.path, page.mark)
        if message is not None:
            page.mark = message["file"].get("hash") or message["file"]["last_modified"]
            page.tell(message)

    def _evicted(self, recorder: Recorder) -> None:
        """What was written is not known here any more: pages that have not seen it must not save over it."""
        for path in recorder.paths:
            self.files.forget(path)

    def _saved(self, path: str, notebook: Message) -> None:
        for recorder in self._recorders.values():
            if path not in recorder.paths and not any(page.path == path for page in recorder.pages):
                continue
            gone = note_save(list(recorder.executions), notebook, lambda one: recorder.is_attended(one) or recorder.pages)
            for execution in gone:
                recorder.executions.forget(execution)
            self._changed(recorder)
