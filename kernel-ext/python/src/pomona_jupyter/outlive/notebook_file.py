"""Outputs in a notebook's file: put there by the server, told by the saves of pages."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from typing import Any

from jupyter_client.jsonutil import json_default
from jupyter_core.utils import ensure_async

from .cell_outputs import Message
from .executions import Execution

#: A page's save that shows a cell as not executed counts as the user's will so many seconds after the cell's end, not before.
SETTLED_SECONDS = 5.0


class NotebookFiles:
    """Saves of one server, one at a time for each notebook, whoever saves."""

    def __init__(self, contents: Any) -> None:
        self._contents = contents
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._written: dict[str, _Written] = {}
        self._save = contents.save
        #: Called with the path and the notebook that a client saved.
        self.on_saved: Any = lambda path, notebook: None

    def watch(self) -> None:
        """From now on, saves of clients wait for the server's own."""

        async def save(model: Message, path: str = "", *args: Any, **kwargs: Any) -> Message:
            if model.get("type") != "notebook":
                return await ensure_async(self._save(model, path, *args, **kwargs))
            path = path.strip("/")
            async with self._locks[path]:
                saved = await ensure_async(self._save(model, path, *args, **kwargs))
                self._written.pop(path, None)
            self.on_saved(path, model.get("content") or {})
            return saved

        self._contents.save = save

    async def put(self, path: str, executions: list[Execution]) -> list[Execution]:
        """Puts outputs into the cells of a notebook. Returns those whose cell is there."""
        async with self._locks[path]:
            model = await self._get(path, content=True)
            cells = {cell.get("id"): cell for cell in model["content"]["cells"] if cell.get("cell_type") == "code"}
            found = [one for one in executions if one.cell in cells]
            if not found:
                return []
            for execution in found:
                cell = cells[execution.cell]
                cell["outputs"] = execution.outputs.as_notebook()
                cell["execution_count"] = execution.count if execution.status == "ended" else None
                # They are of a kernel of this user: what a page may show where it ran the cell, it may show here.
                cell["metadata"]["trusted"] = True
            before = _mark(model)
            versions = [execution.version for execution in found]
            await ensure_async(self._save({"type": "notebook", "format": "json", "content": model["content"]}, path))
            saved = await self._get(path, content=False)
            written = self._written.get(path)
            known = written.known if written and before in written.known else set()
            self._written[path] = _Written(known | {before, _mark(saved)}, saved)
            for execution, version in zip(found, versions):
                execution.saved = version
                execution.put_at = time.monotonic()
            return found

    def told(self, path: str, mark: str | None) -> Message | None:
        """What a page that has the file as of ``mark`` must know to save on top of what the server wrote since."""
        written = self._written.get(path)
        if written is None or mark is None or mark not in written.known or mark == _mark(written.model):
            return None
        names = ("last_modified", "hash", "hash_algorithm")
        file = {name: written.model[name] for name in names if name in written.model}
        return {"type": "written", "file": json.loads(json.dumps(file, default=json_default))}

    def forget(self, path: str) -> None:
        self._written.pop(path, None)

    async def settled(self, path: str) -> None:
        """Waits for a save that is under way."""
        async with self._locks[path]:
            pass

    async def _get(self, path: str, content: bool) -> Message:
        try:
            return await ensure_async(self._contents.get(path, content=content, type="notebook", require_hash=True))
        except TypeError:
            # A contents manager from before hashes.
            return await ensure_async(self._contents.get(path, content=content, type="notebook"))


class _Written:
    """The server wrote last: the states of the file that lead to its present one by the server's writes alone."""

    def __init__(self, known: set[str], model: Message) -> None:
        self.known = known
        self.model = model


def _mark(model: Message) -> str:
    """What tells two states of a file apart, as a page knows it."""
    return model.get("hash") or json.loads(json.dumps(model["last_modified"], default=json_default))


def note_save(executions: list[Execution], notebook: Message, is_shown: Any) -> list[Execution]:
    """A page saved the notebook: marks what the file has now. Returns what has no cell any more."""
    cells = {cell.get("id"): cell for cell in notebook.get("cells", [])}
    for execution in executions:
        cell = cells.get(execution.cell)
        if cell is None or execution.status != "ended":
            continue
        count = cell.get("execution_count")
        is_settled = time.monotonic() - max(execution.ended_at, execution.told_at) > SETTLED_SECONDS
        is_cleared = count is None and not cell.get("outputs") and is_settled
        if (count is not None and count == execution.count) or (is_cleared and is_shown(execution)):
            execution.saved = execution.version
        elif time.monotonic() - execution.put_at < SETTLED_SECONDS or (execution.is_put and not is_cleared):
            # The page saved what it had before the server put its outputs in, or before it was told of them.
            execution.saved = -1
    return [execution for execution in executions if execution.cell not in cells]
