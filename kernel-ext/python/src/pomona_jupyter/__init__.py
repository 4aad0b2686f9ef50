"""Pomona's side of Jupyter.

A notebook's parameters in TypeScript, for papermill and ``pomona run``; and in :mod:`pomona_jupyter.s3` notebooks in S3, for Jupyter Server.
"""

__version__ = "0.1.0"


def _jupyter_server_extension_points():
    return [{"module": "pomona_jupyter.s3.extension"}]
