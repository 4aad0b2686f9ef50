import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";
import { descendants } from "../support/processes";

/** Child processes of a cell that is interrupted end as at Ctrl-C in a terminal; each would last longer than a test may. */
let kernel: RunningKernel;
beforeAll(async () => {
  kernel = await startKernel();
  await kernel.execute(`import { execSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
const server = spawn("sleep", ["6000"]);`);
  // Starts are told in hundredths of a second.
  await kernel.execute("await new Promise((done) => setTimeout(done, 200));");
});
afterAll(async () => {
  await kernel?.execute("server.kill();");
  await kernel?.stop();
});

/** The programs that run below the kernel. */
const programs = () =>
  descendants(kernel.process.pid as number).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1).join(" ");
    } catch {
      return [];
    }
  });

test.each([
  ["execSync", `console.log("begun"); execSync("sleep 600"); console.log("behind");`],
  ["a shell's child", `console.log("begun"); execSync("sleep 600; sleep 600"); console.log("behind");`],
  ["spawnSync", `console.log("begun"); spawnSync("sleep", ["600"], { stdio: "inherit" }); console.log("behind");`],
  [
    "in a function, after an await",
    `const f = async () => { await 0; execSync("sleep 600"); }; console.log("begun"); await f(); console.log("behind");`,
  ],
])("of %s", async (_, code) => {
  const run = kernel.start(code);
  await kernel.prints(run.id);
  await expect.poll(programs).toContain("sleep 600");
  await kernel.interrupt();
  const { reply, stdout } = await run.done;
  expect(reply.content.ename).toBe("KeyboardInterrupt");
  expect(stdout).not.toContain("behind");
});

test("of a promise, whose cell ends first", async () => {
  const run = kernel.start(
    `const child = spawn("sleep", ["600"]); console.log("begun"); await once(child, "exit"); console.log("behind");`,
  );
  await kernel.prints(run.id);
  await expect.poll(programs).toContain("sleep 600");
  await kernel.interrupt();
  expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
  const signal = async () => (await kernel.execute("child.signalCode")).result;
  await expect.poll(signal).toBe("'SIGINT'");
});

test("those of earlier cells go on", async () => {
  expect((await kernel.execute("[server.exitCode, server.signalCode]")).result).toBe("[ null, null ]");
});
