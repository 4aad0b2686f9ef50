"""Runs many cells in one kernel through jupyter_client, and looks at its resident memory: JSON in argv[1], JSON out.

In: {"kernel", "cwd", "cell", "cells", "every", "patience"}; `{i}` in the cell's text is its number.
Out: {"seconds", "mebibytes": one for each `every` cells}.
"""

import json
import sys
import time

import psutil
from jupyter_client import KernelManager

job = json.loads(sys.argv[1])
manager = KernelManager(kernel_name=job["kernel"])
manager.start_kernel(cwd=job["cwd"])
client = manager.client()
client.start_channels(hb=False, stdin=False)
try:
    client.wait_for_ready(timeout=job["patience"])
    process = psutil.Process(manager.provisioner.pid)
    mebibytes = []
    started = time.perf_counter()
    for i in range(1, job["cells"] + 1):
        reply = client.execute_interactive(
            job["cell"].replace("{i}", str(i)), timeout=job["patience"], output_hook=lambda _: None
        )
        content = reply["content"]
        if content["status"] != "ok":
            raise RuntimeError(f"{job['kernel']}: cell {i} failed: {content.get('ename')}: {content.get('evalue')}")
        if i % job["every"] == 0:
            mebibytes.append(process.memory_info().rss / 2**20)
            print(f"{job['kernel']}: {i} cells, {mebibytes[-1]:.0f} MiB", file=sys.stderr, flush=True)
    print(json.dumps({"seconds": time.perf_counter() - started, "mebibytes": mebibytes}))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
