"""Runs scripts of this folder one after the other in one process, which starts Spark's JVM or TensorFlow once: a line of JSON for each."""
import contextlib
import io
import json
import os
import runpy
import sys
import traceback

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, folder)


def begin_afresh(environment):
    """The next script finds nothing that the one before has set."""
    os.environ.clear()
    os.environ.update(environment)
    if "pyspark" in sys.modules:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()


for name in sys.argv[1:]:
    environment, printed, error = dict(os.environ), io.StringIO(), None
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(os.path.join(folder, f"{name}.py"), run_name="__main__")
    except Exception:
        error = traceback.format_exc()
    begin_afresh(environment)
    print(json.dumps({"name": name, "printed": printed.getvalue(), "error": error}), flush=True)
