// Drives a kernel through @jupyterlab/services, as JupyterLab does; prints what it saw as JSON.
// Usage: node services-client.mjs BASE_URL TOKEN KERNEL_NAME
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(import.meta.url);
const WebSocket = require("ws");
const { KernelManager, ServerConnection } = require("@jupyterlab/services");

const [baseUrl, token, name] = process.argv.slice(2);

// Requests that a restart cuts off are rejected where nobody waits for them.
process.on("unhandledRejection", (reason) => {
  if (!/Canceled future|Disposed|disposed/.test(String(reason))) throw reason;
});

class AuthorizedWebSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { headers: { Authorization: `token ${token}` } });
  }
}

const serverSettings = ServerConnection.makeSettings({
  baseUrl,
  wsUrl: baseUrl.replace(/^http/, "ws"),
  token,
  appendToken: false,
  fetch,
  Request,
  Headers,
  WebSocket: AuthorizedWebSocket,
});

async function execute(kernel, code, options = {}) {
  const outputs = [];
  const future = kernel.requestExecute({ code, ...options });
  future.onIOPub = (message) => outputs.push(message);
  const reply = await future.done;
  const text = outputs.filter(({ header }) => header.msg_type === "stream").map(({ content }) => content.text);
  return {
    content: reply.content,
    stdout: text.join(""),
    types: outputs.map(({ header, content }) => content.execution_state ?? header.msg_type),
    result: outputs.find(({ header }) => header.msg_type === "execute_result")?.content.data["text/plain"],
  };
}

const seen = {};
const manager = new KernelManager({ serverSettings });
await manager.ready;
const kernel = await manager.startNew({ name });
seen.info = await kernel.info;
seen.execute = await execute(kernel, "console.log('🍒'); const kept = 20; kept * 2 + 2");
seen.megabyte = (await execute(kernel, `process.stdout.write("ü".repeat(1 << 20))`)).stdout.length;
seen.lines = (await execute(kernel, "for (let i = 0; i < 20_000; i++) console.log(i)")).stdout.split("\n").length - 1;
seen.failed = await execute(kernel, "throw new TypeError('wrong')");
seen.pid = Number((await execute(kernel, "process.pid")).result);

// JupyterLab shows the last status it saw.
const busy = kernel.requestExecute({ code: "console.log('begun'); await readLine('')", allow_stdin: true });
const asked = new Promise((done) => {
  busy.onStdin = done;
});
await asked;
await kernel.requestCommInfo({});
for (let n = 0; n < 600 && kernel.status !== "busy"; n++) await sleep(100);
seen.statusWhileRunning = kernel.status;
kernel.sendInputReply({ status: "ok", value: "" }, (await asked).header);
await busy.done;
await sleep(100);
seen.statusAfterwards = kernel.status;

const endless = kernel.requestExecute({
  code: "await new Promise((done) => setTimeout(done, 5)); console.log('begun'); while (true);",
});
await new Promise((begun) => {
  endless.onIOPub = ({ header }) => header.msg_type === "stream" && begun();
});
await kernel.interrupt();
seen.interrupt = { ename: (await endless.done).content.ename };
seen.kept = (await execute(kernel, "kept")).result;
seen.complete = (await kernel.requestComplete({ code: "kept.toF", cursor_pos: 8 })).content;
seen.inspect = (await kernel.requestInspect({ code: "kept", cursor_pos: 2, detail_level: 0 })).content;

await execute(
  kernel,
  `(globalThis as any)[Symbol.for("pomona.kernel")].onComm("lab.echo", (comm: any) => {
     comm.onMessage = (data: any, buffers: Uint8Array[]) => { console.log("caught"); comm.send(data, { buffers }); };
   });`,
);
const comm = kernel.createComm("lab.echo");
await comm.open({}).done;
const echoed = new Promise((resolve) => {
  comm.onMsg = (message) => resolve({ data: message.content.data, sizes: message.buffers.map((b) => b.byteLength) });
});
const sent = comm.send({ n: 1 }, undefined, [new Uint8Array([1, 2, 3]), new Uint8Array(1 << 20)]);
// What an Output widget does to catch the prints of a button's handler.
seen.caught = [];
sent.onIOPub = (message) => seen.caught.push(message.content.execution_state ?? message.header.msg_type);
seen.comm = await echoed;
await sent.done;

const other = manager.connectTo({ model: kernel.model, clientId: "other" });
seen.other = (await execute(other, "kept + 1")).result;

await kernel.restart();
await kernel.info;
seen.restarted = (await execute(kernel, "typeof (globalThis as any).kept")).result;
seen.lastPid = Number((await execute(kernel, "process.pid")).result);
console.log(JSON.stringify(seen));
process.exit(0);
