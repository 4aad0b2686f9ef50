"""Drives a kernel through jupyter_client, as nbclient, papermill and the console do; prints what it saw as JSON.

Usage: kernel_client.py KERNEL_NAME
"""

import json
import sys

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

TIMEOUT = 120


def execute(client, code, **options):
    """Runs a cell and gives its reply and outputs."""
    outputs = []
    reply = client.execute_interactive(code, timeout=TIMEOUT, output_hook=outputs.append, **options)
    return {
        "status": reply["content"]["status"],
        "content": reply["content"],
        "types": [m["msg_type"] for m in outputs],
        "stdout": "".join(m["content"]["text"] for m in outputs if m["msg_type"] == "stream"),
        "result": next((m["content"]["data"]["text/plain"] for m in outputs if m["msg_type"] == "execute_result"), None),
    }


def interrupted(manager, client, code):
    """Runs a cell that says that it has begun and does not end, interrupts it, and gives what happened."""

    def hook(message):
        if message["msg_type"] == "stream":
            manager.interrupt_kernel()

    reply = client.execute_interactive(code, timeout=TIMEOUT, output_hook=hook)
    return {"ename": reply["content"].get("ename")}


def answer_with(client, line):
    def hook(message):
        client.input(line + message["content"]["prompt"])

    return hook


def comm_echo(client):
    """Opens a comm, sends a message with binary buffers, and gives what comes back."""
    execute(
        client,
        """(globalThis as any)[Symbol.for("pomona.kernel")].onComm("python.echo", (comm: any) => {
             comm.onMessage = (data: any, buffers: Uint8Array[]) => comm.send(data, { buffers });
           });""",
    )
    session = client.session
    for kind, data, buffers in [("comm_open", {}, None), ("comm_msg", {"n": 1}, [b"\x00\xff\x80", bytes(1 << 20)])]:
        content = {"comm_id": "py", "target_name": "python.echo", "data": data}
        session.send(client.shell_channel.socket, kind, content, buffers=buffers)
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["msg_type"] == "comm_msg":
            sizes = [len(buffer) for buffer in message["buffers"]]
            return {"data": message["content"]["data"], "sizes": sizes, "first": list(bytes(message["buffers"][0]))}


def main():
    seen = {}
    manager = KernelManager(kernel_name=sys.argv[1])
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    seen["info"] = client.kernel_info(reply=True, timeout=TIMEOUT)["content"]
    seen["execute"] = execute(client, "console.log('🍒'); const kept = 20; kept * 2 + 2")
    seen["failed"] = execute(client, "throw new TypeError('wrong')", stop_on_error=True)
    seen["after"] = execute(client, "console.log('goes on')")
    seen["interrupt"] = interrupted(manager, client, "console.log('begun'); while (true);")
    seen["kept"] = execute(client, "kept")
    seen["input"] = execute(client, "prompt('> ')", allow_stdin=True, stdin_hook=answer_with(client, "ü"))
    seen["complete"] = client.complete("kept.toF", 8, reply=True, timeout=TIMEOUT)["content"]
    seen["comm"] = comm_echo(client)

    other = BlockingKernelClient()
    other.load_connection_info(manager.get_connection_info(session=False))
    other.start_channels()
    other.wait_for_ready(timeout=120)
    seen["other"] = execute(other, "kept + 1")
    other.stop_channels()

    manager.restart_kernel()
    client.wait_for_ready(timeout=120)
    seen["restarted"] = execute(client, "typeof (globalThis as any).kept")
    seen["alive"] = manager.is_alive()

    client.stop_channels()
    manager.shutdown_kernel()
    seen["alive_after"] = manager.is_alive()
    print(json.dumps(seen))


main()
