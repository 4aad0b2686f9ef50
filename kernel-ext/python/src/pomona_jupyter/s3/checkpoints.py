"""Checkpoints beside the notebooks in S3, in the form that EMR Studio has: ``.ipynb_checkpoints/NAME-checkpoint.ipynb``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.services.contents.checkpoints import AsyncCheckpoints

from .bucket import Changed, Stored
from .failures import S3Failure
from .names import checked, checkpoint_path

if TYPE_CHECKING:
    from .contents import S3Contents

_ID = "checkpoint"


class S3Checkpoints(AsyncCheckpoints):
    """One checkpoint a file, copied within S3."""

    parent: S3Contents

    async def create_checkpoint(self, contents_mgr: S3Contents, path: str) -> dict[str, Any]:
        found = await self._found(path)
        try:
            copied = await self.parent.s3.copy(found, self._key(_ID, path), anyway=True)
        except Changed:
            # Saved in this moment; the newer version will do.
            copied = await self.parent.s3.copy(await self._found(path), self._key(_ID, path), anyway=True)
        return _model(copied)

    async def restore_checkpoint(self, contents_mgr: S3Contents, checkpoint_id: str, path: str) -> None:
        found = await self._checkpoint(checkpoint_id, path)
        await self.parent.restore(found, path)

    async def rename_checkpoint(self, checkpoint_id: str, old_path: str, new_path: str) -> None:
        found = await self._checkpoint(checkpoint_id, old_path)
        await self.parent.s3.copy(found, self._key(checkpoint_id, new_path), anyway=True)
        await self.parent.s3.delete_all([found.key])

    async def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        found = await self._checkpoint(checkpoint_id, path)
        await self.parent.s3.delete_all([found.key])

    async def list_checkpoints(self, path: str) -> list[dict[str, Any]]:
        found = await self.parent.s3.head(self._key(_ID, path))
        return [] if found is None else [_model(found)]

    async def _found(self, path: str) -> Stored:
        found = await self.parent.s3.head(self.parent.key(path))
        if found is None:
            raise S3Failure(404, f"There is no file {path}.")
        return found

    async def _checkpoint(self, checkpoint_id: str, path: str) -> Stored:
        found = await self.parent.s3.head(self._key(checkpoint_id, path))
        if found is None:
            raise S3Failure(404, f"There is no checkpoint {checkpoint_id} of {path}.")
        return found

    def _key(self, checkpoint_id: str, path: str) -> str:
        return self.parent.key(checkpoint_path(checked(path), checkpoint_id))


def _model(stored: Stored) -> dict[str, Any]:
    return {"id": _ID, "last_modified": stored.modified}
