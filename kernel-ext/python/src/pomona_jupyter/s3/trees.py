"""Files and folders moved and removed such that nothing is lost where it ends half-way: it is begun again and goes on."""

from __future__ import annotations

import json
from logging import Logger

from .bucket import Bucket, Changed, Stored, in_parallel
from .failures import S3Failure
from .names import KEEP, MOVING

#: Somebody may save into a folder while it is moved; what came is moved too, as often as this.
_ROUNDS = 5


async def move_file(bucket: Bucket, source: str, target: str) -> tuple[Stored, Stored]:
    """Moves an object: copied, then removed if it is still what was copied. Gives both.

    :raises S3Failure: 404 where it is not there, 409 where something else is at the target or somebody saved it meanwhile
    """
    found = await bucket.head(source)
    if found is None:
        raise S3Failure(404, f"There is no {bucket.url(source)}.")
    if await bucket.has_any(f"{target}/"):
        raise _exists(bucket, target)
    try:
        copied = await bucket.copy(found, target)
    except Changed as changed:
        # A move that was interrupted between its two steps is ended.
        if changed.found is None or not await _same(bucket, found, changed.found):
            raise (_exists(bucket, target) if changed.found else _saved_meanwhile(bucket, [source])) from changed
        copied = changed.found
    try:
        await bucket.delete(found)
    except Changed as changed:
        raise _saved_meanwhile(bucket, [source]) from changed
    return found, copied


async def move_folder(bucket: Bucket, source: str, target: str, log: Logger) -> list[tuple[Stored, Stored]]:
    """Moves all objects below a prefix (both end in a slash): all are copied before the first is removed. Gives both of each.

    A marker in the target says where it comes from, until all is done, so that the same move may be made again after a crash.

    :raises S3Failure: 409 where the target is another folder; what was not moved is then still at the source
    """
    marker = target + MOVING
    await _claim(bucket, source, target, marker)
    moved: dict[str, tuple[Stored, Stored]] = {}
    kept: set[str] = set()
    for _ in range(_ROUNDS):
        left = [item async for item in _below(bucket, source) if item.key != source + MOVING and item.key not in kept]
        if not left:
            break

        async def copy(item: Stored) -> None:
            try:
                moved[item.key] = (item, await _copy(bucket, item, target + item.key[len(source) :], moved.get(item.key)))
            except _TargetDiffers:
                kept.add(item.key)
            except _SourceChanged:
                moved.pop(item.key, None)

        await in_parallel((copy, (item,)) for item in left)

        async def remove(item: Stored) -> None:
            try:
                await bucket.delete(item)
            except Changed:
                log.info("%s was saved while its folder was moved; it is moved again", bucket.url(item.key))

        copied = [item for item in left if item.key in moved and moved[item.key][0] == item]
        await in_parallel((remove, (item,)) for item in copied if item.key != source + KEEP)
        # The folder's own marker last: as long as something is left, the folder is there.
        if not kept:
            await in_parallel((remove, (item,)) for item in copied if item.key == source + KEEP)
    else:
        kept.update([item.key async for item in _below(bucket, source)])
    await bucket.delete_all([source + MOVING, marker])
    if kept:
        raise _saved_meanwhile(bucket, list(kept))
    return list(moved.values())


async def delete_folder(bucket: Bucket, prefix: str) -> None:
    """Removes all objects below a prefix, the folder's marker last; begun again, it removes the rest."""
    keys = [item.key async for item in _below(bucket, prefix)]
    await bucket.delete_all([key for key in keys if key != prefix + KEEP])
    await bucket.delete_all([key for key in keys if key == prefix + KEEP])


async def _claim(bucket: Bucket, source: str, target: str, marker: str) -> None:
    """Makes the target ours, unless it is a folder already, and not one that this very move has begun."""
    if await bucket.head(target.rstrip("/")) is not None:
        raise _exists(bucket, target)
    if await bucket.has_any(target):
        found = await bucket.read(marker)
        if found is None or json.loads(found[1] or b"{}").get("from") != source:
            raise _exists(bucket, target)
        return
    if not await bucket.has_any(source):
        raise S3Failure(404, f"There is no {bucket.url(source)}.")
    content = json.dumps({"from": source}).encode()
    try:
        await bucket.write(marker, content, expected=None, content_type="application/json")
    except Changed as changed:
        raise _exists(bucket, target) from changed


class _TargetDiffers(Exception):
    """Something else is at the target, which is not ours to replace."""


class _SourceChanged(Exception):
    """It was saved or removed after it was listed; the next round sees what it is now."""


async def _copy(bucket: Bucket, item: Stored, key: str, before: tuple[Stored, Stored] | None) -> Stored:
    """Copies an object, also over the copy that we made of it `before`. :raises _TargetDiffers, _SourceChanged:"""
    expected = before[1].etag if before else None
    try:
        return await bucket.copy(item, key, expected=expected)
    except Changed as changed:
        if changed.found is None or changed.found.etag == expected:
            raise _SourceChanged from changed
        if await _same(bucket, item, changed.found):
            return changed.found
        raise _TargetDiffers from changed


async def _same(bucket: Bucket, one: Stored, other: Stored) -> bool:
    """Equal content. The ETag of an object of parts differs from its copy's; then the bytes are compared."""
    if one.size != other.size:
        return False
    if one.etag == other.etag:
        return True
    first, second = await bucket.head(one.key), await bucket.head(other.key)
    if first is None or second is None:
        return False
    if first.metadata and first.version == second.version:
        return True
    contents = [await bucket.read(one.key), await bucket.read(other.key)]
    return contents[0] is not None and contents[1] is not None and contents[0][1] == contents[1][1]


async def _below(bucket: Bucket, prefix: str):  # noqa: ANN202
    async for page in bucket.pages(prefix, deep=True):
        for item in page.objects:
            yield item


def _exists(bucket: Bucket, target: str) -> S3Failure:
    return S3Failure(409, f"{bucket.url(target)} exists already. Take another name, or delete or rename that one first.")


def _saved_meanwhile(bucket: Bucket, keys: list[str]) -> S3Failure:
    names = ", ".join(bucket.url(key) for key in sorted(keys)[:5])
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return S3Failure(409, f"{names}{more} changed while it was renamed: that version is still under the old name, the other one under the new name.")
