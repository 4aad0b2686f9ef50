"""What EMR's JupyterHub keeps notebooks with, as it is: carries out calls that are given as JSON and prints their answers."""

import json
import logging
import os
import sys

from s3contents import S3ContentsManager

given = json.load(sys.stdin)
logging.disable(logging.CRITICAL)
manager = S3ContentsManager(
    bucket=given["bucket"],
    prefix="jupyter/" + given["user"],
    endpoint_url=given["endpoint"],
    access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
)


def answer(call):
    name, *args = call
    try:
        return getattr(manager, name)(*args)
    except Exception as error:
        return {"error": repr(error)}


json.dump([answer(call) for call in given["calls"]], sys.stdout, default=str)
