"""The contents manager: notebooks, files and folders below one prefix of a bucket, for Jupyter Server."""

from __future__ import annotations

import asyncio
import base64
import itertools
import mimetypes
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import nbformat
from jupyter_server.services.contents.manager import AsyncContentsManager
from traitlets import Int, Unicode, default

from .bucket import Bucket, Changed, Stored, in_parallel
from .checkpoints import S3Checkpoints
from .failures import S3Failure
from .names import KEEP, checked, is_shown, parent, parents
from .trees import delete_folder, move_file, move_folder
from .uploads import BrowserUploads

T = TypeVar("T")

#: What S3 does not know, the times of a folder, as s3contents tells them.
_NO_TIME = datetime(1970, 1, 2, tzinfo=timezone.utc)
#: JupyterLab asks for a file's state right after it saved it. Until then that is the state of what it saved.
_SAVED_FOR_SECONDS = 30
#: How many files' versions are remembered.
_REMEMBERED = 10_000


class S3Contents(AsyncContentsManager):
    """Keeps notebooks in S3, in the form of EMR's JupyterHub and s3contents: a folder is an empty object ``.s3keep``."""

    bucket = Unicode(help="The bucket's name.").tag(config=True)
    prefix = Unicode(help="What all keys begin with, such as jupyter/ann/").tag(config=True)
    endpoint_url = Unicode(None, allow_none=True, help="The address of a server that is not AWS's.").tag(config=True)
    region_name = Unicode(None, allow_none=True, help="The bucket's region, where the machine does not say it.").tag(config=True)
    abandoned_after = Int(3600, help="Seconds after which an upload that was not completed is removed.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.bucket:
            raise ValueError("S3Contents needs a bucket: pomona lab --s3-conf FILE, POMONA_S3_CONF, or c.S3Contents.bucket.")
        self.s3 = Bucket(self.bucket, self.endpoint_url, self.region_name)
        self._top = self.prefix.strip("/")
        #: Each file as it was last read or written here: what a save may replace.
        self._seen: OrderedDict[str, Stored] = OrderedDict()
        self._saved: dict[str, tuple[float, Stored]] = {}
        self._kept_folders: set[str] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._uploads = BrowserUploads(self.s3)
        self._swept = -float(self.abandoned_after)
        self._tasks: set[asyncio.Task[None]] = set()
        # Notebooks are parsed, checked and signed beside the server's loop; one thread, since the signatures' database wants one.
        self._notebooks = ThreadPoolExecutor(1, "notebooks")

    @default("checkpoints_class")
    def _default_checkpoints_class(self) -> type[S3Checkpoints]:
        return S3Checkpoints

    @default("root_dir")
    def _default_root_dir(self) -> str:
        # Kernels run in a folder of this machine.
        return getattr(self.parent, "root_dir", "/")

    def info_string(self) -> str:
        return f"Serving notebooks from {self.s3.url(self.key(''))}/"

    def key(self, path: str) -> str:
        """The key of a path: nothing that a path says leads out of the prefix."""
        return "/".join(part for part in (self._top, checked(path)) if part)

    # What there is

    async def is_hidden(self, path: str) -> bool:
        return any(not is_shown(name, allow_hidden=False) for name in checked(path).split("/")) if path.strip("/") else False

    async def file_exists(self, path: str = "") -> bool:
        path = path.strip("/")
        return bool(path) and await self.s3.head(self.key(path)) is not None

    async def dir_exists(self, path: str) -> bool:
        path = path.strip("/")
        return not path or await self.s3.has_any(f"{self.key(path)}/")

    async def increment_filename(self, filename: str, path: str = "", insert: str = "") -> str:
        """A name that is free, by one listing instead of a question a name."""
        stem, dot, extension = filename.rpartition(".")
        if extension != "ipynb":
            stem, dot, extension = filename.partition(".")
        folder = self.key(path)
        start = f"{folder}/" if folder else ""
        taken: set[str] = set()
        async for page in self.s3.pages(start + stem):
            taken.update(item.key for item in page.objects)
            taken.update(prefix.rstrip("/") for prefix in page.folders)
        names = (f"{stem}{insert}{n or ''}{dot}{extension}" if n else filename for n in itertools.count())
        return next(name for name in names if start + name not in taken)

    # Reading

    async def get(
        self, path: str, content: bool = True, type: str | None = None, format: str | None = None, require_hash: bool = False
    ) -> dict[str, Any]:
        path = checked(path)
        if not path or type == "directory":
            model = await self._folder(path, content, require_hash)
            if model is None:
                is_file = await self.file_exists(path)
                raise S3Failure(400 if is_file else 404, f"{path} is {'no folder' if is_file else 'not there'}.")
            return model
        if not content:
            model = await self._state(path, type, require_hash)
        else:
            model = await self._with_content(path, type, format, require_hash)
        if model is None:
            model = await self._folder(path, content, require_hash)
            if model is None:
                self._forget(path)
                raise S3Failure(404, f"There is no file {path}.")
            if type is not None:
                raise S3Failure(400, f"{path} is a folder, no {type}.", reason="bad type")
            return model
        self.emit(data={"action": "get", "path": path})
        return model

    async def _state(self, path: str, type: str | None, require_hash: bool) -> dict[str, Any] | None:
        until, saved = self._saved.pop(path, (0.0, None))
        if saved is not None and time.monotonic() < until:
            # If somebody else has saved since, the client must not take that version for its own; it will see it next time.
            return _file_model(path, saved, type, require_hash)
        found = await self.s3.head(self.key(path))
        if found is None:
            return None
        return _file_model(path, self._note(path, found), type, require_hash)

    async def _with_content(self, path: str, type: str | None, format: str | None, require_hash: bool) -> dict[str, Any] | None:
        read = await self.s3.read(self.key(path))
        if read is None:
            return None
        found, raw = self._note(path, read[0]), read[1]
        self._saved.pop(path, None)
        model = _file_model(path, found, type, require_hash)
        if model["type"] == "notebook":
            model["content"], model["format"] = await self._beside(lambda: self._parsed(raw, path, model)), "json"
        else:
            model["content"], model["format"] = await self._beside(lambda: _decoded(raw, path, format))
            guess = "text/plain" if model["format"] == "text" else "application/octet-stream"
            model["mimetype"] = mimetypes.guess_type(path)[0] or guess
        return model

    def _parsed(self, raw: bytes, path: str, model: dict[str, Any]) -> Any:
        try:
            notebook = nbformat.reads(raw.decode("utf-8"), as_version=4)
        except Exception as error:
            raise S3Failure(400, f"{path} is no notebook that can be read: {error!r}") from error
        self.mark_trusted_cells(notebook, path)
        self.validate_notebook_model({**model, "content": notebook})
        return notebook

    async def _folder(self, path: str, content: bool, require_hash: bool) -> dict[str, Any] | None:
        """A folder, by one request a page; None where there is none. The top is always there."""
        model = _folder_model(path)
        if require_hash:
            model |= {"hash": "", "hash_algorithm": "none"}
        if not path:
            self._sweep()
        if not content:
            return model if await self.dir_exists(path) else None
        key = self.key(path)
        start = f"{key}/" if key else ""
        entries: list[dict[str, Any]] = []
        found = not path
        async for page in self.s3.pages(start):
            found = found or bool(page.folders or page.objects)
            for prefix in page.folders:
                name = prefix[len(start) : -1]
                if is_shown(name, allow_hidden=self.allow_hidden) and self.should_list(name):
                    entries.append(_folder_model(f"{path}/{name}".lstrip("/")))
            for item in page.objects:
                name = item.key[len(start) :]
                if is_shown(name, allow_hidden=self.allow_hidden) and self.should_list(name):
                    entries.append(_file_model(f"{path}/{name}".lstrip("/"), item, None, False))
        return {**model, "content": entries, "format": "json"} if found else None

    # Writing

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        path = checked(path)
        if not path:
            raise S3Failure(400, "The top folder cannot be saved.")
        if "type" not in model:
            raise S3Failure(400, "No type of file was given.")
        if model["type"] != "directory" and "content" not in model:
            raise S3Failure(400, "No content was given.")
        chunk = model.get("chunk")
        if chunk in (None, 1):
            self.run_pre_save_hooks(model=model, path=path)
        if model["type"] == "directory":
            return await self._make_folder(path)
        if chunk is not None:
            async with self._lock(path):
                stored = await self._uploads.add(self.key(path), model, _content_type(path), self._expected_at(path, model))
            if stored is None:
                return _file_model(path, Stored(path, "", self._uploads.size(self.key(path)), datetime.now(timezone.utc)), "file", False)
            message = None
        else:
            async with self._lock(path):
                raw, message = await self._beside(lambda: self._encoded(model, path))
                stored = await self._write(path, raw, model)
        await self._keep(path)
        stored = self._note(path, stored)
        result = _file_model(path, stored, model["type"], False)
        if message:
            result["message"] = message
        self._saved[path] = (time.monotonic() + _SAVED_FOR_SECONDS, stored)
        self.emit(data={"action": "save", "path": path})
        return result

    def _encoded(self, model: dict[str, Any], path: str) -> tuple[bytes, str | None]:
        """The bytes of a model, and what is wrong with its notebook."""
        if model["type"] != "notebook":
            return encoded_file(model, path), None
        try:
            notebook = nbformat.from_dict(model["content"])
            self.check_and_sign(notebook, path)
            raw = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
        except Exception as error:
            raise S3Failure(400, f"{path} cannot be saved as a notebook: {error!r}") from error
        told = self.validate_notebook_model({"content": notebook}).get("message")
        return (raw if raw.endswith("\n") else f"{raw}\n").encode("utf-8"), told

    async def _write(self, path: str, raw: bytes, model: dict[str, Any]) -> Stored:
        expected = await self._expected_at(path, model)()
        try:
            return await self.s3.write(self.key(path), raw, expected=expected, content_type=_content_type(path))
        except Changed as changed:
            if changed.found is not None:
                raise _conflict(path, changed.found) from changed
        # It was removed or renamed by somebody else; nothing of theirs is replaced by making it anew.
        try:
            return await self.s3.write(self.key(path), raw, expected=None, content_type=_content_type(path))
        except Changed as changed:
            raise (_conflict(path, changed.found) if changed.found else _busy(path)) from changed

    def _expected_at(self, path: str, model: dict[str, Any]) -> Callable[[], Any]:
        """Finds the ETag that a save may replace: what the client says it has, else what was last seen here, else what is there."""

        async def expected() -> str | None:
            claims = model.get("hash"), _time(model.get("last_modified"))
            seen = self._seen.get(path)
            if seen is not None and claims[0] is None and claims[1] in (None, seen.modified):
                return seen.etag
            found = await self.s3.head(self.key(path))
            if found is None:
                return None
            if claims[0] is not None and claims[0] != found.version:
                raise _conflict(path, found)
            if claims[0] is None and claims[1] is not None and found.modified - claims[1] >= timedelta(seconds=1):
                raise _conflict(path, found)
            return found.etag

        return expected

    async def restore(self, checkpoint: Stored, path: str) -> None:
        """Puts a checkpoint's content in a file's place, if that is still the version that was last seen here."""
        path = checked(path)
        async with self._lock(path):
            expected = await self._expected_at(path, {})()
            try:
                stored = await self.s3.copy(checkpoint, self.key(path), expected=expected)
            except Changed as changed:
                raise (_conflict(path, changed.found) if changed.found else _busy(path)) from changed
        self._saved.pop(path, None)
        self._note(path, stored)

    async def _make_folder(self, path: str) -> dict[str, Any]:
        if await self.file_exists(path):
            raise S3Failure(400, f"{path} is a file, and so no folder.")
        await self._keep(f"{path}/x")
        self.emit(data={"action": "save", "path": path})
        return _folder_model(path)

    async def _keep(self, path: str) -> None:
        """Puts the markers of the folders that a path lies in, as s3contents would have made them."""
        missing = [folder for folder in ["", *parents(path)] if folder not in self._kept_folders]

        async def put(folder: str) -> None:
            try:
                await self.s3.write(self.key(f"{folder}/{KEEP}"), b"", expected=None, content_type="binary/octet-stream")
            except Changed:
                pass
            self._kept_folders.add(folder)

        await in_parallel((put, (folder,)) for folder in missing)

    # Moving and removing

    async def delete_file(self, path: str) -> None:
        path = checked(path)
        self._forget(path)
        key = self.key(path)
        await self._keep(path)
        if await self.s3.head(key) is not None:
            await self.s3.delete_all([key])
        elif await self.dir_exists(path):
            self._kept_folders = {folder for folder in self._kept_folders if not f"{folder}/".startswith(f"{path}/")}
            await delete_folder(self.s3, f"{key}/")
        else:
            raise S3Failure(404, f"There is no {path}.")

    async def rename_file(self, old_path: str, new_path: str) -> None:
        old_path, new_path = checked(old_path), checked(new_path)
        if old_path == new_path:
            return
        if not old_path or not new_path:
            raise S3Failure(400, "The top folder cannot be renamed.")
        if f"{new_path}/".startswith(f"{old_path}/"):
            raise S3Failure(400, f"{old_path} cannot be moved into itself.")
        if not await self.dir_exists(parent(new_path)):
            raise S3Failure(404, f"There is no folder {parent(new_path)}.")
        await self._keep(old_path)
        source, target = self.key(old_path), self.key(new_path)
        if await self.s3.head(source) is not None:
            moved = [await move_file(self.s3, source, target)]
        else:
            self._kept_folders = {folder for folder in self._kept_folders if not f"{folder}/".startswith(f"{old_path}/")}
            moved = await move_folder(self.s3, f"{source}/", f"{target}/", self.log)
        await self._keep(new_path)
        for was, now in moved:
            seen = self._seen.pop(self._path_of(was.key), None)
            if seen is not None and seen.etag == was.etag:
                self._note(self._path_of(now.key), now)

    def _path_of(self, key: str) -> str:
        return key[len(self._top) :].lstrip("/")

    # What is remembered

    def _note(self, path: str, stored: Stored) -> Stored:
        """Remembers a file's state and gives what clients are told: S3's times have whole seconds, and each version has a later one."""
        before = self._seen.pop(path, None)
        if before is not None:
            later = before.modified + timedelta(seconds=0 if before.etag == stored.etag else 1)
            stored = replace(stored, modified=max(stored.modified, later))
        self._seen[path] = stored
        while len(self._seen) > _REMEMBERED:
            self._saved.pop(self._seen.popitem(last=False)[0], None)
        return stored

    def _forget(self, path: str) -> None:
        for known in [known for known in self._seen if f"{known}/".startswith(f"{path}/")]:
            del self._seen[known]
            self._saved.pop(known, None)

    def _lock(self, path: str) -> asyncio.Lock:
        """One save of a file after the other, so that a client's two are no conflict."""
        lock = self._locks.get(path)
        if lock is None:
            lock = self._locks[path] = asyncio.Lock()
        return lock

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._notebooks, work)

    async def trust_notebook(self, path: str) -> None:
        notebook = (await self.get(path))["content"]

        def trust() -> None:
            self.notary.mark_cells(notebook, True)
            self.check_and_sign(notebook, path)

        await self._beside(trust)

    def _sweep(self) -> None:
        """Removes, now and then, what was uploaded by servers that were killed in mid-save."""
        if time.monotonic() - self._swept < self.abandoned_after:
            return
        self._swept = time.monotonic()

        async def sweep() -> None:
            try:
                age = timedelta(seconds=self.abandoned_after)
                await self._uploads.abandon(self.abandoned_after)
                found = await self.s3.abort_uploads(f"{self._top}/" if self._top else "", age, self._uploads.ids())
                if found:
                    self.log.info("Removed %d uploads that had not come to an end", found)
            except S3Failure as error:
                self.log.debug("Uploads that did not come to an end were not looked for: %s", error)

        task = asyncio.get_running_loop().create_task(sweep())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def encoded_file(model: dict[str, Any], path: str) -> bytes:
    """The bytes of a file, or of a piece of one."""
    content, form = model["content"], model.get("format")
    try:
        if form == "text":
            return content.encode("utf-8")
        if form == "base64":
            return base64.b64decode(content.encode("ascii"))
        # Jupyter's form of a notebook that is saved as a file.
        if form == "json" or form is None:
            return content.encode("utf-8") if isinstance(content, str) else nbformat.writes(nbformat.from_dict(content)).encode("utf-8")
    except Exception as error:
        raise S3Failure(400, f"{path} cannot be saved as {form}: {error}") from error
    raise S3Failure(400, f"{path} cannot be saved as {form}: there are text and base64.")


def _decoded(raw: bytes, path: str, form: str | None) -> tuple[str, str]:
    if form in (None, "text"):
        try:
            return raw.decode("utf-8"), "text"
        except UnicodeDecodeError as error:
            if form == "text":
                raise S3Failure(400, f"{path} is not UTF-8 encoded.", reason="bad format") from error
    return base64.b64encode(raw).decode("ascii"), "base64"


def _file_model(path: str, stored: Stored, type: str | None, require_hash: bool) -> dict[str, Any]:
    kind = type or ("notebook" if path.endswith(".ipynb") else "file")
    model = _model(path, kind, stored.modified)
    model["size"] = stored.size
    if kind == "file":
        model["mimetype"] = mimetypes.guess_type(path)[0]
    if require_hash:
        model |= {"hash": stored.version, "hash_algorithm": "etag"}
    return model


def _folder_model(path: str) -> dict[str, Any]:
    return {**_model(path, "directory", _NO_TIME), "size": None}


def _model(path: str, type: str, modified: datetime) -> dict[str, Any]:
    times = {"created": modified, "last_modified": modified}
    rest = {"content": None, "format": None, "mimetype": None, "writable": True}
    return {"name": path.rpartition("/")[2], "path": path, "type": type, **times, **rest}


def _content_type(path: str) -> str:
    return "application/x-ipynb+json" if path.endswith(".ipynb") else mimetypes.guess_type(path)[0] or "binary/octet-stream"


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def _conflict(path: str, found: Stored) -> S3Failure:
    at = found.modified.astimezone().strftime("%H:%M:%S")
    return S3Failure(
        409,
        f"{path} was saved by somebody else, at {at}, after it was last read or saved here. Nothing was replaced. "
        "Save again to be asked which version to keep, or keep yours under another name.",
        reason="Conflict",
    )


def _busy(path: str) -> S3Failure:
    return S3Failure(409, f"{path} is being written and removed by others at this moment. Save again.", reason="Conflict")
