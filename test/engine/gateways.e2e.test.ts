import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, type RunningServer, startGateway } from "../support/jupyter-server";
import { isAlive } from "../support/processes";
import { endpointOf, endpointSessions, kernelProcesses, partsIn, underWay, writeSlowly } from "./endpoint-sessions";

const { out, jupyterPath, start, local, stop, expectWhole } = endpointSessions();
/** A folder in whose place a gateway has the other one. */
const [unseen, empty] = [out("unseen"), out("empty")];
const USER = { KERNEL_USERNAME: "ann" };

/** The interpreter of a gateway's environment; undefined where that can't be made, for want of a Python as old as it needs. */
function environment(gateway: Gateway): string | undefined {
  const script = join(__dirname, "..", "..", "scripts", "setup", `${gateway.replace("_", "-")}.mjs`);
  try {
    return execFileSync(process.execPath, [script], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch (error) {
    if (gateway === "enterprise_gateway" && String(error).includes("needs Python")) return undefined;
    throw error;
  }
}

describe.each(["kernel_gateway", "enterprise_gateway"] as const)("%s", (gateway) => {
  const python = environment(gateway);
  let server: RunningServer;
  beforeAll(async () => {
    if (python === undefined) return;
    for (const each of [unseen, empty]) mkdirSync(each, { recursive: true });
    server = await startGateway(gateway, python, { jupyterPath, mounts: [["--bind", empty, unseen]] });
  });
  afterAll(() => server?.stop());

  it.skipIf(python === undefined)(
    "runs tasks as a Jupyter server does, with the variables that it is given",
    async () => {
      const write = async (of: Session, path: string) => {
        const seen = udf((id: number) => `${id} ${process.env.POMONA_TEST_FRUIT}`, { returns: "string" });
        await of.range(0, 40).repartition(4).select(seen("id").alias("row")).write.parquet(path);
        return partsIn(path).map((part) => readFileSync(part).toString("latin1"));
      };
      const remote = await start([endpointOf(server, { env: { ...USER, POMONA_TEST_FRUIT: "pear" } })]);
      const there = await write(remote, out(`${gateway}-there`));
      expect(remote.workers()).toMatchObject([{ state: "ready", slots: 2, done: 4, failed: 0 }]);
      const [kernel] = kernelProcesses(server);
      // What begins with KERNEL_ is the kernel's too.
      expect(readFileSync(`/proc/${kernel}/environ`, "utf8").split("\0")).toContain("KERNEL_USERNAME=ann");
      await stop();
      await expect.poll(() => isAlive(kernel!)).toBe(false);
      process.env.POMONA_TEST_FRUIT = "pear";
      const here = await write(await local(), out(`${gateway}-here`));
      expect(there).toEqual(here);
    },
  );

  it.skipIf(python === undefined)("carries files that its machine does not see, there and back", async () => {
    const content = randomBytes(700_000);
    writeFileSync(join(unseen, "content"), content);
    const hex = udf((bytes: Uint8Array) => Buffer.from(bytes).toString("hex"), { returns: "string" });
    const remote = await start([endpointOf(server, { env: USER })]);
    const files = remote.read.format("binaryFile").load(join(unseen, "content"));
    const path = join(unseen, `${gateway}-hex`);
    await files.select(hex("content").alias("hex")).write.parquet(path);
    expect(readdirSync(empty)).toEqual([]);
    await stop();
    const rows = await (await local()).read.parquet(path).collect();
    expect((rows as { hex: string }[]).map((row) => row.hex === content.toString("hex"))).toEqual([true]);
  });

  it.skipIf(python === undefined)(
    "loses nothing where its kernel is killed, and stops within an interrupt",
    async () => {
      const remote = await start([endpointOf(server, { env: USER })]);
      const started = underWay(remote);
      const written = writeSlowly(remote, out(`${gateway}-killed`));
      await started;
      process.kill(kernelProcesses(server)[0]!, "SIGKILL");
      await written;
      const again = underWay(remote);
      const interrupted = writeSlowly(remote, out(`${gateway}-stopped`)).catch((error: Error) => error.name);
      await again;
      await remote.interruptAll();
      expect(await interrupted).toBe("CancelledError");
      await expectWhole(out(`${gateway}-killed`));
      await expect.poll(() => kernelProcesses(server)).toEqual([]);
    },
  );

  it.skipIf(python === undefined)("says what it refuses", async () => {
    const wrong = start([endpointOf(server, { token: "hush" })]);
    await expect(wrong).rejects.toMatchObject({
      name: "EndpointAccessError",
      message: expect.not.stringContaining("hush"),
    });
    // Enterprise Gateway starts none for root, who is nobody else's name by default.
    if (gateway === "kernel_gateway" || process.getuid?.() !== 0) return;
    await expect(start([endpointOf(server)])).rejects.toThrow(
      /User 'root' is not authorized to start kernel.*KERNEL_USERNAME/s,
    );
  });
});
