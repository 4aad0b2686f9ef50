"""The server's extension: gives it the contents manager where a ``jupyter-s3-conf.json`` says so, else does nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from traitlets.config import Config

from .settings import SettingsError, find_file, prefix_of, read_settings, user_name

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _link_jupyter_server_extension(serverapp: ServerApp) -> None:
    """Runs before the server makes its contents manager."""
    try:
        file = find_file(serverapp.root_dir)
        settings = read_settings(file) if file is not None else None
        if settings is None:
            return
        prefix = prefix_of(user_name())
    except SettingsError as error:
        _end(serverapp, str(error))
    try:
        from .contents import S3Contents
    except ImportError as error:
        remedy = f'{sys.executable} -m pip install "{_extra()}" installs what it needs.'
        _end(serverapp, f"{file} says that notebooks are kept in S3, and {error.name or error} is not installed.\n{remedy}")
    config = {"bucket": settings.bucket, "prefix": prefix, "endpoint_url": settings.endpoint, "region_name": settings.region}
    serverapp.config.merge(Config({"S3Contents": {name: value for name, value in config.items() if value is not None}}))
    serverapp.contents_manager_class = S3Contents
    serverapp.log.info("Notebooks are kept in s3://%s/%s, as %s says", settings.bucket, prefix, os.fspath(file))


def _load_jupyter_server_extension(serverapp: ServerApp) -> None:
    """Nothing more to do; a server wants each extension to have it."""


def _extra() -> str:
    """What pip is told: the sources, where it runs from those, else the installed package."""
    source = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    return f"{source}[s3]" if os.path.exists(os.path.join(source, "pyproject.toml")) else "pomona-jupyter[s3]"


def _end(serverapp: ServerApp, message: str) -> None:
    """A server that kept notebooks on its own disk instead would lose them with the machine."""
    serverapp.log.critical(message)
    sys.exit(1)
