"""Reads ``jupyter-s3-conf.json``, the settings that EMR's JupyterHub is given for notebooks in S3."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The file's name, beside the notebooks; ``POMONA_S3_CONF`` names another one.
FILE_NAME = "jupyter-s3-conf.json"

_CLASSIFICATION = "jupyter-s3-conf"
_ENABLED = "s3.persistence.enabled"
_BUCKET = "s3.persistence.bucket"
#: Ours, not EMR's: for a server that is not AWS's, and a bucket elsewhere than the machine says.
_ENDPOINT = "s3.persistence.endpoint"
_REGION = "s3.persistence.region"
_KNOWN = (_ENABLED, _BUCKET, _ENDPOINT, _REGION)

_EXAMPLE = '[{"Classification": "jupyter-s3-conf", "Properties": {"s3.persistence.enabled": "true", "s3.persistence.bucket": "my-bucket"}}]'


class SettingsError(ValueError):
    """The file cannot be used: what is wrong, where, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Settings:
    """Where notebooks are kept."""

    bucket: str
    #: None: AWS's own.
    endpoint: str | None = None
    #: None: what the machine, the environment or the profile says.
    region: str | None = None


def find_file(folder: str | os.PathLike[str] | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The file that ``POMONA_S3_CONF`` names, else the one in the folder with the notebooks; None where there is none.

    :raises SettingsError: where ``POMONA_S3_CONF`` names a file that is not there
    """
    named = env.get("POMONA_S3_CONF")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"There is no file {path}, which POMONA_S3_CONF names.", "Name one, or unset POMONA_S3_CONF.")
        return path
    if folder is None:
        return None
    path = Path(folder).expanduser() / FILE_NAME
    return path if path.is_file() else None


def read_settings(path: str | os.PathLike[str]) -> Settings | None:
    """The settings of a file; None where it says that notebooks are not kept in S3.

    :raises SettingsError: for a file of another form, without a bucket, or with credentials in it
    """
    where = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{where} cannot be read: {error.strerror}.", "Let the one who runs Jupyter read it.") from error
    except ValueError as error:
        raise SettingsError(f"{where} is no JSON: {error}.", f"It looks like {_EXAMPLE}") from error
    properties = _properties(content, where)
    _refuse_credentials(properties, where)
    unknown = [name for name in properties if name.startswith("s3.persistence.") and name not in _KNOWN]
    if unknown:
        raise SettingsError(f"{where} sets {unknown[0]}, which means nothing.", f"The names are {', '.join(_KNOWN)}.")
    if not _flag(properties.get(_ENABLED, "false"), where):
        return None
    bucket = _text(properties, _BUCKET, where)
    if bucket is None:
        raise SettingsError(
            f"{where} says that notebooks are kept in S3, and not in which bucket.", f'Add "{_BUCKET}": "<name>" beside "{_ENABLED}".'
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise SettingsError(
            f"{where}: {bucket!r} is not the name of a bucket.",
            "It is the name alone, without s3:// and without a folder: 3 to 63 small letters, digits, dots and hyphens.",
        )
    endpoint = _text(properties, _ENDPOINT, where)
    if endpoint is not None and not re.match(r"https?://[^/]", endpoint):
        raise SettingsError(f"{where}: {_ENDPOINT} is {endpoint!r}.", "It begins with http:// or https://.")
    return Settings(bucket, endpoint, _text(properties, _REGION, where))


def user_name(env: Mapping[str, str] = os.environ) -> str:
    """Whose notebooks: JupyterHub's user, else ``POMONA_S3_USER``, else who runs the server.

    :raises SettingsError: for a name that would lead out of the user's own folder
    """
    for source in ("JUPYTERHUB_USER", "POMONA_S3_USER"):
        if env.get(source):
            return check_user(env[source], source)
    return check_user(getpass.getuser(), "the machine")


def check_user(name: str, source: str) -> str:
    """:raises SettingsError: for a name that is no single folder"""
    if name in ("", ".", "..") or re.search(r"[/\\\x00-\x1f\x7f]", name):
        raise SettingsError(
            f"The user {name!r}, as {source} says, has no folder of its own in S3.", "A name has no slash, and is not . or .."
        )
    return name


def prefix_of(user: str) -> str:
    """Where EMR keeps a user's notebooks; ends in a slash."""
    return f"jupyter/{user}/"


def _properties(content: Any, where: str) -> dict[str, Any]:
    """EMR's form is a list of classifications, of which ours is one."""
    entries = content if isinstance(content, list) else [content]
    ours = [entry for entry in entries if isinstance(entry, dict) and entry.get("Classification") == _CLASSIFICATION]
    if len(ours) > 1:
        raise SettingsError(f'{where} has "{_CLASSIFICATION}" {len(ours)} times.', "Keep one of them.")
    if not ours:
        raise SettingsError(f'{where} has no classification "{_CLASSIFICATION}".', f"It looks like {_EXAMPLE}")
    properties = ours[0].get("Properties", {})
    if not isinstance(properties, dict):
        raise SettingsError(f'{where}: "Properties" is no object.', f"It looks like {_EXAMPLE}")
    return properties


def _refuse_credentials(properties: Mapping[str, Any], where: str) -> None:
    """A file that lies beside notebooks, and in clusters' descriptions, is no place for them."""
    secret = next((name for name in properties if re.search(r"access.?key|secret|password|token|credential", name, re.I)), None)
    if secret is not None:
        raise SettingsError(
            f"{where} sets {secret}: credentials don't belong in this file.",
            "Remove it, and give them as to any program of AWS: the machine's role, a profile (AWS_PROFILE), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )


def _flag(value: Any, where: str) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise SettingsError(f"{where}: {_ENABLED} is {value!r}.", 'It is "true" or "false".')
    return text == "true"


def _text(properties: Mapping[str, Any], name: str, where: str) -> str | None:
    value = properties.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SettingsError(f"{where}: {name} is {value!r}.", "It is a text.")
    return value.strip()
