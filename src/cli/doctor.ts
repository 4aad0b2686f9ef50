import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { summaryOf } from "../errors";
import { chooseBackend } from "../networks/backend";
import { INSTALLABLE_BACKENDS } from "../networks/network-backend";
import { networkByName } from "../networks/networks";
import { resolveWeights } from "../networks/weights-lookup";
import { VERSION } from "../version";
import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS } from "./command";
import { jupyterPython, jupyterVenv, searchedDataDirs } from "./jupyter-paths";
import { KERNEL_NAME, listKernelspecs } from "./kernelspec";
import { missingOf } from "./spark/installation";
import { javaFor } from "./spark/java";
import { RELEASES } from "./spark/releases";

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What does not work without it. */
  readonly needed: "the main job" | "notebooks" | "this backend" | "real features" | "Spark on this machine";
}

/** `pomona doctor`: what is installed, which backend, which weights. */
export const doctor: Command = {
  name: "doctor",
  about: ABOUT.doctor,
  positionals: [],
  options: { json: SHARED_OPTIONS.json, help: SHARED_OPTIONS.help },
  examples: ["pomona doctor"],
  async run(context) {
    const findings = [
      nodeVersion(),
      ...(await Promise.all(INSTALLABLE_BACKENDS.map(backend))),
      await automaticBackend(),
      await weights(context.signal),
      await jupyter(),
      await kernel(),
      await spark(),
    ];
    if (context.options.json) {
      context.print(JSON.stringify({ version: VERSION, findings }));
    } else {
      const width = Math.max(...findings.map((f) => f.what.length));
      context.print(`pomona ${VERSION}`);
      for (const { what, ok, found, needed } of findings) {
        const without = ok ? "" : ` (without it: not ${needed})`;
        context.print(`  ${ok ? "ok     " : "missing"}  ${what.padEnd(width)}  ${found}${without}`);
      }
    }
    return findings.every((f) => f.ok || f.needed !== "the main job") ? 0 : 1;
  },
};

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { what: "Node.js", ok, found: process.version, needed: "the main job" };
}

async function backend(name: (typeof INSTALLABLE_BACKENDS)[number]): Promise<Finding> {
  try {
    await chooseBackend(name);
    return { what: name, ok: true, found: "loads", needed: "this backend" };
  } catch (error) {
    return { what: name, ok: false, found: summaryOf(error), needed: "this backend" };
  }
}

async function automaticBackend(): Promise<Finding> {
  const about = { what: "backend auto", needed: "the main job" } as const;
  try {
    return { ...about, ok: true, found: await chooseBackend("auto") };
  } catch (error) {
    return { ...about, ok: false, found: summaryOf(error) };
  }
}

async function weights(signal: AbortSignal): Promise<Finding> {
  const about = { what: "weights imagenet", needed: "real features" } as const;
  try {
    const found = await resolveWeights("imagenet", networkByName("MobileNetV2"), { signal });
    const text = found.kind === "file" ? `${found.path} (sha256 ${found.sha256.slice(0, 12)}...)` : found.kind;
    return { ...about, ok: true, found: text };
  } catch (error) {
    return { ...about, ok: false, found: summaryOf(error) };
  }
}

async function jupyter(): Promise<Finding> {
  const about = { what: "Jupyter", needed: "notebooks" } as const;
  try {
    const script =
      "import jupyterlab, nbconvert; print(f'jupyterlab {jupyterlab.__version__}, nbconvert {nbconvert.__version__}')";
    const { stdout } = await promisify(execFile)(jupyterPython(), ["-c", script]);
    return { ...about, ok: true, found: stdout.trim() };
  } catch (error) {
    return { ...about, ok: false, found: summaryOf(error) };
  }
}

/** Starts the kernel as Jupyter does and asks it who it is. */
async function kernel(): Promise<Finding> {
  const about = { what: `kernel ${KERNEL_NAME}`, needed: "notebooks" } as const;
  try {
    const installed = (await listKernelspecs(searchedDataDirs(jupyterVenv()))).find(({ name }) => name === KERNEL_NAME);
    if (!installed) return { ...about, ok: false, found: "not registered: pomona kernel install, or npm run setup" };
    if (installed.problems.length > 0) return { ...about, ok: false, found: installed.problems.join("; ") };
    const { stdout } = await promisify(execFile)(jupyterPython(), ["-c", ASK_KERNEL, KERNEL_NAME], { timeout: 60_000 });
    const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { seconds?: number; error?: string };
    if (answer.error !== undefined) return { ...about, ok: false, found: answer.error };
    const found = `answers within ${answer.seconds?.toFixed(1)} s; Node ${installed.node}, ${installed.folder}`;
    return { ...about, ok: true, found };
  } catch (error) {
    return { ...about, ok: false, found: summaryOf(error) };
  }
}

/** Whether `pomona spark start` would find what it doesn't install itself. */
async function spark(): Promise<Finding> {
  const release = RELEASES["4.0"];
  const about = { what: `Spark ${release.version}`, needed: "Spark on this machine" } as const;
  try {
    const { version } = await javaFor(release);
    const missing = missingOf(release);
    const there = missing.length === 0 ? "installed" : `pomona spark start installs ${missing.join(" and ")}`;
    return { ...about, ok: true, found: `${there}; Java ${version}` };
  } catch (error) {
    return { ...about, ok: false, found: summaryOf(error) };
  }
}

const ASK_KERNEL = `
import json, subprocess, sys, time
from jupyter_client import KernelManager
manager = KernelManager(kernel_name=sys.argv[1])
started = time.monotonic()
manager.start_kernel(stderr=subprocess.PIPE)
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=40)
    print(json.dumps({"seconds": time.monotonic() - started}))
except RuntimeError as error:
    if manager.is_alive():
        print(json.dumps({"error": "it starts, and gives no answer within 40 s"}))
    else:
        last = manager.provisioner.process.stderr.read().decode().strip().split("\\n")[-1]
        print(json.dumps({"error": f"it ends at its start: {last or error}"}))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
`;
