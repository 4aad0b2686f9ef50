import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";
import { isAlive } from "../support/processes";

/** What goes to descriptors 1 and 2 is shown in the cell, as ipykernel does. */

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-descriptors-")));
  writeFileSync(join(folder, "child.js"), 'console.log("child"); console.error("child err"); process.send?.("sent");');
  writeFileSync(
    join(folder, "parent.js"),
    'require("node:child_process").spawn("node", ["child.js"], { stdio: "inherit" }).on("close", () => console.log("parent"));',
  );
  writeFileSync(join(folder, "thread.js"), 'console.log("thread"); console.error("thread err");');
  kernel = await startKernel({ cwd: folder });
  await kernel.execute(`import * as fs from "node:fs";
import { execFileSync, execSync, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events"; import { promisify } from "node:util"; import { Worker } from "node:worker_threads";`);
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['await once(spawn("sh", ["-c", "echo out; echo err >&2"], { stdio: "inherit" }), "exit");', "out\nerr\n"],
  ['await once(spawn("sh", ["-c", "echo out; echo err >&2"], { stdio: ["ignore", 1, 2] }), "close");', "out\nerr\n"],
  ['await once(spawn("echo", ["out"], { stdio: ["ignore", process.stdout, "ignore"] }), "exit");', "out\n"],
  ['const one = fork("./child.js"); await once(one, "exit");', "child\nchild err\n"],
  ['await once(spawn("node", ["parent.js"], { stdio: "inherit" }), "exit");', "child\nparent\nchild err\n"],
  ['execSync("echo out; echo err >&2", { stdio: "inherit" });', "out\nerr\n"],
  ['execFileSync("echo", ["ü 😀"], { stdio: "inherit" });', "ü 😀\n"],
  ['spawnSync("sh", ["-c", "echo out; echo err >&2"], { stdio: [0, "inherit", "inherit"] });', "out\nerr\n"],
  ['execSync("echo err >&2");', "err\n"],
  ['fs.writeSync(1, "out\\n"); fs.writeSync(2, "err\\n");', "out\nerr\n"],
  ['fs.writeSync(1, Buffer.from("..out\\n.."), 2, 4);', "out\n"],
  ['await promisify(fs.write)(1, Buffer.from("out\\n"));', "out\n"],
  ['fs.writeFileSync("/dev/stdout", "out\\n"); fs.appendFileSync("/dev/stderr", "err\\n");', "out\nerr\n"],
  ['const w = fs.createWriteStream("", { fd: 1 }); await new Promise((done) => w.write("out\\n", done));', "out\n"],
  ['await once(new Worker("./thread.js"), "exit");', "thread\nthread err\n"],
])("%s", async (code, shown) => {
  const { stdout, stderr, reply } = await kernel.execute(`console.log("before"); ${code} console.log("after");`);
  expect(reply.content.status).toBe("ok");
  expect(stdout + stderr).toBe(
    `before\n${shown.replace(/.*err\n/g, "")}after\n${(shown.match(/.*err\n/g) ?? []).join("")}`,
  );
});

test("a child's caller sees what it sees of one that inherits", async () => {
  const { result } = await kernel.execute(
    `const child = spawn("sh", ["-c", "exit 3"], { stdio: "inherit" });
const ended = await once(child, "exit");
const sync = spawnSync("echo", ["x"], { stdio: "inherit" });
JSON.stringify([child.stdout, child.stdio, ended, sync.stdout, execSync("true", { stdio: "inherit" })])`,
  );
  expect(result).toBe("'[null,[null,null,null],[3,null],null,null]'");
  const { reply } = await kernel.execute('execSync("exit 4", { stdio: "inherit" })');
  expect(reply.content.evalue).toBe("Command failed: exit 4");
  expect(
    (
      await kernel.execute(
        'console.log((await once(spawn("no-such-command", { stdio: "inherit" }), "error"))[0].code);',
      )
    ).stdout,
  ).toBe("ENOENT\n");
});

test("a child that goes on after its cell prints there, also while another runs", async () => {
  const first = kernel.start('spawn("sh", ["-c", "sleep 0.3; echo late"], { stdio: "inherit" }); 1');
  await first.done;
  expect((await kernel.execute("await new Promise((done) => setTimeout(done, 600));")).stdout).toBe("");
  const late = await kernel.waitFor((m) => m.type === "stream" && m.content.text.includes("late"));
  expect(late.parent.msg_id).toBe(first.id);
});

test("a program that a child leaves behind does not keep the cell", async () => {
  // It lasts longer than a cell is waited for.
  const { reply, stdout } = await kernel.execute(
    'await once(spawn("sh", ["-c", "sleep 600 & echo $!"], { stdio: "inherit" }), "exit"); console.log("after");',
  );
  const pid = Number.parseInt(stdout, 10);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid);
  expect([reply.content.status, stdout]).toEqual(["ok", `${pid}\nafter\n`]);
});
