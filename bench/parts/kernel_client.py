"""Times one kernel through jupyter_client, the same for each: JSON in argv[1], JSON out.

In: {"kernel", "cwd", "first", "touches": {name: code}, "print", "trip", "lines", "trips", "patience"}.
Times are seconds, from the start of the process where they tell of a start.
"""

import json
import queue
import socket
import statistics
import sys
import time

import psutil
from jupyter_client import KernelManager

job = json.loads(sys.argv[1])


class Kernel:
    """A kernel process of its own, from its start."""

    def __enter__(self):
        self.manager = KernelManager(kernel_name=job["kernel"])
        self.started = time.perf_counter()
        self.manager.start_kernel(cwd=job["cwd"])
        # ZeroMQ waits a tenth of a second after a refused connection: better to know when there is one.
        for port in (self.manager.shell_port, self.manager.iopub_port):
            self.wait_for(port)
        self.client = self.manager.client()
        self.client.start_channels(hb=False, stdin=False)
        self.client.kernel_info()
        self.client.get_shell_msg(timeout=job["patience"])
        self.ready = self.elapsed()
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def elapsed(self):
        return time.perf_counter() - self.started

    def wait_for(self, port):
        while self.elapsed() < 60:
            with socket.socket() as probe:
                if probe.connect_ex((self.manager.ip, port)) == 0:
                    return
            time.sleep(0.002)
        raise TimeoutError(f"{job['kernel']} does not listen")

    def run(self, code):
        """Runs a cell and gives the seconds until its reply."""
        before = time.perf_counter()
        message = self.client.execute(code)
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=job["patience"])
            except queue.Empty:
                raise TimeoutError(f"no reply to {code!r} within {job['patience']} s") from None
            if reply["parent_header"].get("msg_id") == message:
                break
        seconds = time.perf_counter() - before
        content = reply["content"]
        if content["status"] != "ok":
            raise RuntimeError(f"{job['kernel']}: {code!r} failed: {content.get('ename')}: {content.get('evalue')}")
        return seconds

    def drain(self):
        while True:
            try:
                self.client.get_iopub_msg(timeout=0.5)
            except queue.Empty:
                return

    def print_lines(self, code):
        """The seconds until the cell is idle, None where that never comes, and how many lines came."""
        before = time.perf_counter()
        message = self.client.execute(code)
        lines = 0
        while True:
            left = job["patience"] - (time.perf_counter() - before)
            try:
                received = self.client.get_iopub_msg(timeout=max(0.001, left))
            except queue.Empty:
                return {"seconds": None, "lines": lines}
            if received["parent_header"].get("msg_id") != message:
                continue
            content = received["content"]
            if received["msg_type"] == "stream":
                lines += content["text"].count("\n")
            if content.get("execution_state") == "idle":
                return {"seconds": time.perf_counter() - before, "lines": lines}

    def mebibytes(self):
        process = psutil.Process(self.manager.provisioner.pid)
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20


result = {"touches": {}}
with Kernel() as kernel:
    result["ready"] = kernel.ready
    kernel.run(job["first"])
    result["firstCell"] = kernel.elapsed()
    for _ in range(20):
        kernel.run(job["trip"])
    result["roundTrip"] = statistics.median(kernel.run(job["trip"]) for _ in range(job["trips"]))
    result["mebibytes"] = kernel.mebibytes()
for name, code in job["touches"].items():
    with Kernel() as kernel:
        kernel.run(code)
        result["touches"][name] = kernel.elapsed()
with Kernel() as kernel:
    kernel.run(job["first"])
    kernel.drain()
    result["output"] = kernel.print_lines(job["print"])
print(json.dumps(result))
