"""The requests to S3 that a contents manager is made of, on aiobotocore, so that the server's loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from weakref import WeakKeyDictionary

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from .failures import S3_ERRORS, S3Failure, failure, is_changed, is_missing, is_raced, needs_new_client

MIB = 1 << 20
#: From here on an object is written in parts, of this size; S3 takes 5 MiB or more, and 10,000 parts.
PART_SIZE = 8 * MIB
MULTIPART_FROM = 16 * MIB
#: The most that CopyObject copies at once, by S3's rules; beyond, a copy is made of parts of the size below.
COPY_AT_ONCE = 5 << 30
COPY_PART = 512 * MIB
#: Requests at once for one save or one folder.
PARALLEL = 16
#: Names one writing, in the object's metadata: who has lost an answer finds out by it whether the request was carried out.
SAVE_ID = "pomona-save"


class Changed(Exception):
    """The object is not the one that was expected; it is there (`found`), or is not."""

    def __init__(self, found: Stored | None) -> None:
        super().__init__("changed")
        self.found = found


@dataclass(frozen=True)
class Stored:
    """What S3 says about an object."""

    key: str
    etag: str
    size: int
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "binary/octet-stream"

    @property
    def version(self) -> str:
        """What tells one content from another: the same after a copy, where the ETag of an object of parts is not."""
        return f"{self.metadata[SAVE_ID]}-{self.size}" if SAVE_ID in self.metadata else self.etag.strip('"')


@dataclass(frozen=True)
class Page:
    """A page of a folder's listing: its folders, by their whole prefix, and its objects."""

    folders: list[str]
    objects: list[Stored]


class Bucket:
    """A bucket of S3; each method raises :class:`S3Failure`, whose message says what to do."""

    def __init__(self, name: str, endpoint: str | None = None, region: str | None = None) -> None:
        self.name = name
        self.endpoint = endpoint
        self.region = region
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Any]] = WeakKeyDictionary()

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    async def head(self, key: str) -> Stored | None:
        """The object, or None."""
        async with self._asked("HeadObject", key) as client:
            try:
                return _stored(key, await client.head_object(Bucket=self.name, Key=key))
            except S3_ERRORS as error:
                if is_missing(error):
                    return None
                raise

    async def read(self, key: str) -> tuple[Stored, bytes] | None:
        """The object with its bytes, or None. A body that was cut is read again."""
        async with self._asked("GetObject", key) as client:
            for attempt in range(3):
                try:
                    answer = await client.get_object(Bucket=self.name, Key=key)
                except S3_ERRORS as error:
                    if is_missing(error):
                        return None
                    raise
                try:
                    async with answer["Body"] as body:
                        content = await body.read()
                    if len(content) != answer["ContentLength"]:
                        raise OSError(f"{len(content)} of {answer['ContentLength']} bytes arrived")
                    return _stored(key, answer), content
                except S3_ERRORS:
                    if attempt == 2:
                        raise
                    await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError

    async def pages(self, prefix: str, *, deep: bool = False, limit: int | None = None) -> AsyncIterator[Page]:
        """What begins with a prefix, a request a page: what lies in that folder, or with `deep` in all below."""
        options: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix}
        if not deep:
            options["Delimiter"] = "/"
        if limit is not None:
            options["MaxKeys"] = limit
        while True:
            async with self._asked("ListObjectsV2", prefix) as client:
                answer = await client.list_objects_v2(**options)
            yield Page(
                [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])],
                [Stored(entry["Key"], entry["ETag"], entry["Size"], _utc(entry["LastModified"])) for entry in answer.get("Contents", [])],
            )
            if not answer.get("IsTruncated") or limit is not None:
                return
            options["ContinuationToken"] = answer["NextContinuationToken"]

    async def has_any(self, prefix: str) -> bool:
        async for page in self.pages(prefix, deep=True, limit=1):
            return bool(page.objects)
        return False

    async def write(self, key: str, content: bytes, *, expected: str | None, content_type: str) -> Stored:
        """Writes an object: in place of the one with the ETag `expected`, or where it is None, as a new one.

        :raises Changed: where there is another one
        """
        if len(content) >= MULTIPART_FROM:
            upload = await self.begin_upload(key, content_type)
            try:
                pieces = [content[at : at + PART_SIZE] for at in range(0, len(content), PART_SIZE)]
                await in_parallel(((upload.add, (n, piece)) for n, piece in enumerate(pieces, 1)), at_once=4)
                return await upload.complete(expected)
            except BaseException:
                await upload.abort()
                raise
        save_id = uuid.uuid4().hex

        async def put(client: Any) -> Any:
            options: dict[str, Any] = {"Body": content, "ContentType": content_type, "Metadata": {SAVE_ID: save_id}}
            return await client.put_object(Bucket=self.name, Key=key, **options, **_condition(expected))

        return await self._written("PutObject", key, save_id, len(content), expected, put)

    async def begin_upload(self, key: str, content_type: str, metadata: dict[str, str] | None = None) -> Upload:
        """Begins an object that is written in parts; a copy has the metadata of what it is copied from."""
        metadata = {SAVE_ID: uuid.uuid4().hex} | (metadata or {})
        save_id = metadata[SAVE_ID]
        async with self._asked("CreateMultipartUpload", key) as client:
            options = {"ContentType": content_type, "Metadata": metadata}
            answer = await client.create_multipart_upload(Bucket=self.name, Key=key, **options)
        return Upload(self, key, answer["UploadId"], save_id)

    async def copy(self, source: Stored, key: str, *, expected: str | None = None, anyway: bool = False) -> Stored:
        """Copies an object within S3, with its metadata, if it is still that one; `anyway` replaces what is at the target.

        :raises Changed: where the source is another one by now, or something else is at the target
        """
        condition = {} if anyway else _condition(expected)
        if not anyway:
            # Not every server of S3 heeds the condition of a copy.
            found = await self.head(key)
            if (found.etag if found else None) != expected:
                raise Changed(found)
        if source.size > COPY_AT_ONCE:
            return await self._copy_in_parts(source, key, expected, anyway=anyway)
        origin = {"Bucket": self.name, "Key": source.key}
        async with self._asked("CopyObject", key) as client:
            try:
                answer = await client.copy_object(Bucket=self.name, Key=key, CopySource=origin, CopySourceIfMatch=source.etag, **condition)
            except S3_ERRORS as error:
                if not is_changed(error) and not is_missing(error):
                    raise
                raise Changed(await self.head(key)) from error
        result = answer["CopyObjectResult"]
        return replace(source, key=key, etag=result["ETag"], modified=_utc(result["LastModified"]))

    async def delete(self, stored: Stored) -> None:
        """Removes an object if it is still that one.

        :raises Changed: where it is another one by now
        """
        async with self._asked("DeleteObject", stored.key) as client:
            try:
                await client.delete_object(Bucket=self.name, Key=stored.key, IfMatch=stored.etag)
            except S3_ERRORS as error:
                if is_missing(error):
                    return
                if not is_changed(error):
                    raise
                found = await self.head(stored.key)
                # A request that was repeated: the first one had removed it.
                if found is not None:
                    raise Changed(found) from error

    async def delete_all(self, keys: list[str]) -> None:
        """Removes objects, a thousand a request."""
        for at in range(0, len(keys), 1000):
            some = keys[at : at + 1000]
            async with self._asked("DeleteObjects", some[0]) as client:
                answer = await client.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True})
            for error in answer.get("Errors", []):
                told = f"DeleteObjects of {self.url(error['Key'])}: S3 answered {error.get('Code')}: {error.get('Message')}"
                raise S3Failure(403 if error.get("Code") == "AccessDenied" else 502, f"{told}. What is left can be deleted again.")

    async def abort_uploads(self, prefix: str, older_than: timedelta, but: Iterable[str] = ()) -> int:
        """Removes what uploads left that never came to an end, as of a server that was killed. How many there were."""
        mine, found = set(but), 0
        options: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix}
        while True:
            async with self._asked("ListMultipartUploads", prefix) as client:
                answer = await client.list_multipart_uploads(**options)
            for entry in answer.get("Uploads", []):
                if entry["UploadId"] in mine or datetime.now(timezone.utc) - entry["Initiated"] < older_than:
                    continue
                await Upload(self, entry["Key"], entry["UploadId"], "").abort()
                found += 1
            if not answer.get("IsTruncated"):
                return found
            options |= {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer.get("NextUploadIdMarker", "")}

    async def close(self) -> None:
        """Closes the connections of the running loop."""
        task = self._clients.pop(asyncio.get_running_loop(), None)
        if task is not None:
            await (await task).close()

    async def _copy_in_parts(self, source: Stored, key: str, expected: str | None, *, anyway: bool) -> Stored:
        head = await self.head(source.key)
        if head is None or head.etag != source.etag:
            raise Changed(await self.head(key))
        upload = await self.begin_upload(key, head.content_type, head.metadata)
        try:
            ranges = [(at, min(at + COPY_PART, source.size) - 1) for at in range(0, source.size, COPY_PART)]
            await in_parallel(((upload.add_copy, (n, source, span)) for n, span in enumerate(ranges, 1)), at_once=4)
            return await upload.complete(expected, anyway=anyway)
        except BaseException:
            await upload.abort()
            raise

    async def _written(
        self, operation: str, key: str, save_id: str, size: int, expected: str | None, write: Callable[[Any], Awaitable[Any]]
    ) -> Stored:
        """Carries a write out. A request that is repeated, since its answer was lost, may find what it wrote itself."""
        async with self._asked(operation, key) as client:
            for attempt in range(6):
                try:
                    answer = await write(client)
                    break
                except S3_ERRORS as error:
                    if is_raced(error) and attempt < 5 and operation == "PutObject":
                        await asyncio.sleep(0.1 * 2**attempt)
                        continue
                    if not is_changed(error) and not is_missing(error) and not is_raced(error):
                        raise
                    found = await self.head(key)
                    if found is not None and found.metadata.get(SAVE_ID) == save_id:
                        return found
                    if is_missing(error) and (expected is None or found is not None):
                        raise
                    raise Changed(found) from error
            # S3's own time, which a later look will show; where somebody else was quick, the time of this answer.
            found = await self.head(key)
            if found is not None and found.metadata.get(SAVE_ID) == save_id:
                return found
            now = datetime.now(timezone.utc).replace(microsecond=0)
            return Stored(key, answer["ETag"], size, now, {SAVE_ID: save_id})

    @asynccontextmanager
    async def _asked(self, operation: str, key: str) -> AsyncIterator[Any]:
        """The client, for one operation; what S3 refuses becomes a message that says what to do."""
        try:
            yield await self._client()
        except S3_ERRORS as error:
            if needs_new_client(error):
                await self._forget_client()
            raise failure(error, operation, self.url(key), self.name) from error

    async def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        task = self._clients.get(loop)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._clients[loop] = loop.create_task(self._connect())
        return await asyncio.shield(task)

    async def _connect(self) -> Any:
        session = get_session()
        # Half a second of parsing, beside the loop.
        await asyncio.to_thread(session.get_component("data_loader").load_service_model, "s3", "service-2")
        config = AioConfig(
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=2 * PARALLEL,
            retries={"mode": "standard", "max_attempts": 4},
            # Another server's buckets rarely have names in DNS.
            s3={"addressing_style": "path"} if self.endpoint else {},
        )
        options = {"endpoint_url": self.endpoint, "region_name": self.region, "config": config}
        return await session.create_client("s3", **options).__aenter__()

    async def _forget_client(self) -> None:
        try:
            await self.close()
        except Exception:  # noqa: BLE001 - it is of no use any more
            pass


class Upload:
    """An object that is written in parts, and is not there until it is completed."""

    def __init__(self, bucket: Bucket, key: str, upload_id: str, save_id: str) -> None:
        self.key = key
        self.id = upload_id
        self._bucket = bucket
        self._save_id = save_id
        self._parts: dict[int, str] = {}
        self._size = 0

    async def add(self, number: int, content: bytes) -> None:
        async with self._bucket._asked("UploadPart", self.key) as client:
            answer = await client.upload_part(**self._self(), PartNumber=number, Body=content)
        self._parts[number] = answer["ETag"]
        self._size += len(content)

    async def add_copy(self, number: int, source: Stored, span: tuple[int, int]) -> None:
        origin = {"CopySource": {"Bucket": self._bucket.name, "Key": source.key}, "CopySourceIfMatch": source.etag}
        async with self._bucket._asked("UploadPartCopy", self.key) as client:
            answer = await client.upload_part_copy(**self._self(), PartNumber=number, CopySourceRange=f"bytes={span[0]}-{span[1]}", **origin)
        self._parts[number] = answer["CopyPartResult"]["ETag"]
        self._size += span[1] - span[0] + 1

    async def complete(self, expected: str | None, *, anyway: bool = False) -> Stored:
        """Makes the object of its parts, as :meth:`Bucket.write` does. :raises Changed: where there is another one"""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._parts.items())]
        condition = {} if anyway else _condition(expected)

        async def complete(client: Any) -> Any:
            return await client.complete_multipart_upload(**self._self(), MultipartUpload={"Parts": parts}, **condition)

        return await self._bucket._written("CompleteMultipartUpload", self.key, self._save_id, self._size, expected, complete)

    async def abort(self) -> None:
        """Leaves nothing of it; also when the save itself is being cancelled. What S3 refuses now is removed by a later sweep."""
        try:
            await asyncio.shield(self._abort())
        except S3Failure:
            pass

    async def _abort(self) -> None:
        async with self._bucket._asked("AbortMultipartUpload", self.key) as client:
            await client.abort_multipart_upload(**self._self())

    def _self(self) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self.key, "UploadId": self.id}


async def in_parallel(calls: Iterable[tuple[Callable[..., Awaitable[Any]], tuple[Any, ...]]], at_once: int = PARALLEL) -> list[Any]:
    """Calls functions, some at once; all that began have ended when the first error is raised."""
    gate = asyncio.Semaphore(at_once)
    failed: list[BaseException] = []

    async def call(function: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> Any:
        async with gate:
            if failed:
                return None
            try:
                return await function(*args)
            except BaseException as error:
                failed.append(error)
                raise

    results = await asyncio.gather(*(call(function, args) for function, args in calls), return_exceptions=True)
    if failed:
        raise failed[0]
    return results


def _stored(key: str, answer: dict[str, Any]) -> Stored:
    rest = {"metadata": answer.get("Metadata", {}), "content_type": answer.get("ContentType", "binary/octet-stream")}
    return Stored(key, answer["ETag"], answer["ContentLength"], _utc(answer["LastModified"]), **rest)


def _utc(time: datetime) -> datetime:
    return time.astimezone(timezone.utc)


def _condition(expected: str | None) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
