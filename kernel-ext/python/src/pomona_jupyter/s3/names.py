"""Paths of the contents API as keys in S3, and the names that are not shown."""

from __future__ import annotations

import re

from .failures import S3Failure

#: An empty object that keeps a folder; EMR's and s3contents' form.
KEEP = ".s3keep"
#: Lies in a folder for as long as another one is being moved there.
MOVING = ".pomona-move"
CHECKPOINTS = ".ipynb_checkpoints"


def checked(path: str) -> str:
    """A path of the API without slashes around it.

    :raises S3Failure: for one that could lead out of the user's folder, or that no key can be
    """
    path = path.strip("/")
    segments = path.split("/") if path else []
    if any(segment in ("", ".", "..") or "\0" in segment for segment in segments):
        raise S3Failure(400, f"{path!r} is not a path: . and .. and empty names cannot be folders in S3.")
    if len(path.encode("utf-8", "surrogatepass")) > 900:
        raise S3Failure(400, "The path is longer than S3's keys may be.")
    return path


def is_shown(name: str, *, allow_hidden: bool) -> bool:
    """Whether a listing has it: no marker of ours or of other tools, no name that a path cannot have."""
    if name in ("", ".", "..", KEEP, MOVING) or name.endswith("_$folder$") or "\0" in name:
        return False
    return allow_hidden or not name.startswith(".")


def parents(path: str) -> list[str]:
    """The folders that a path lies in, from the top, without the top itself."""
    segments = path.split("/")[:-1]
    return ["/".join(segments[: n + 1]) for n in range(len(segments))]


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def checkpoint_path(path: str, checkpoint_id: str) -> str:
    """Beside the file, as Jupyter does it on a disk: ``.ipynb_checkpoints/NAME-checkpoint.ipynb``."""
    folder, _, name = path.rpartition("/")
    match = re.fullmatch(r"(.+)(\.[^.]*)", name)
    stem, extension = match.groups() if match else (name, "")
    return f"{folder}/{CHECKPOINTS}/{stem}-{checkpoint_id}{extension}".lstrip("/")
