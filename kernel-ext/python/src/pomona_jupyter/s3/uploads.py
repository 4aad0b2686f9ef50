"""Files that a browser sends in pieces, which become the parts of one upload: they are there as a whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from .bucket import PART_SIZE, Bucket, Changed, Stored, Upload
from .failures import S3Failure


@dataclass
class _Sending:
    expected: str | None
    upload: Upload | None = None
    chunk: int = 1
    parts: int = 0
    size: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    at: float = field(default_factory=time.monotonic)


class BrowserUploads:
    """Pieces are numbered from 1, the last is -1. JupyterLab's have 1 MiB, S3's parts at least 5."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._sending: dict[str, _Sending] = {}

    def ids(self) -> list[str]:
        return [sending.upload.id for sending in self._sending.values() if sending.upload is not None]

    def size(self, key: str) -> int:
        return self._sending[key].size

    async def add(
        self, key: str, model: dict[str, Any], content_type: str, expected: Callable[[], Awaitable[str | None]]
    ) -> Stored | None:
        """Takes a piece; the object with the last one, else None."""
        from .contents import encoded_file

        chunk = model["chunk"]
        if model["type"] != "file":
            raise S3Failure(400, f"A {model['type']} is not sent in pieces.")
        if chunk == 1:
            await self._drop(key)
            self._sending[key] = _Sending(await expected())
        sending = self._sending.get(key)
        if sending is None or (chunk not in (1, -1) and chunk != sending.chunk + 1):
            await self._drop(key)
            raise S3Failure(400, f"A piece of {key} is missing. Send the file again.")
        try:
            sending.chunk, sending.at = chunk, time.monotonic()
            sending.waiting += encoded_file(model, key)
            sending.size = sending.parts * PART_SIZE + len(sending.waiting)
            while len(sending.waiting) > PART_SIZE:
                await self._send(key, sending, content_type)
            if chunk != -1:
                return None
            return await self._end(key, sending, content_type)
        except Changed as changed:
            await self._drop(key)
            raise S3Failure(409, f"{key} was saved by somebody else while it was sent. Nothing was replaced. Send it again.") from changed
        except BaseException:
            await self._drop(key)
            raise

    async def _send(self, key: str, sending: _Sending, content_type: str) -> None:
        if sending.upload is None:
            sending.upload = await self._bucket.begin_upload(key, content_type)
        sending.parts += 1
        await sending.upload.add(sending.parts, bytes(sending.waiting[:PART_SIZE]))
        del sending.waiting[:PART_SIZE]

    async def _end(self, key: str, sending: _Sending, content_type: str) -> Stored:
        if sending.upload is None:
            stored = await self._bucket.write(key, bytes(sending.waiting), expected=sending.expected, content_type=content_type)
        else:
            if sending.waiting:
                await sending.upload.add(sending.parts + 1, bytes(sending.waiting))
            stored = await sending.upload.complete(sending.expected)
        del self._sending[key]
        return stored

    async def abandon(self, after: float) -> None:
        """Removes what was begun by a browser that is gone."""
        for key in [key for key, sending in self._sending.items() if time.monotonic() - sending.at > after]:
            await self._drop(key)

    async def _drop(self, key: str) -> None:
        sending = self._sending.pop(key, None)
        if sending is not None and sending.upload is not None:
            await sending.upload.abort()
