import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { PathNotFoundError, storagesFrom } from "../storage";
import { ABOUT } from "./abouts";
import { type Command, type OptionValues, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { dataDirOf, jupyterPython, jupyterVenv } from "./jupyter-paths";
import { jupyterVariables, PACKAGE_ROOT, refuseRoot, SERVER_EXTENSIONS, startJupyterServer } from "./jupyter-server";
import { installKernelspec, KERNEL_NAME } from "./kernelspec";

/** EMR's name of it. */
const CONF = "jupyter-s3-conf.json";

/** `pomona lab [DIR]`: JupyterLab with the kernel in it. */
export const lab: Command = {
  name: "lab",
  about: ABOUT.lab,
  positionals: ["[DIR]"],
  rest: "[-- options for jupyter lab]",
  options: {
    port: { type: "string", value: "N", about: "the port to listen on (default: 8888, or the next that is free)" },
    "no-browser": { type: "boolean", about: "only print the address" },
    "allow-root": { type: "boolean", about: "start as root too, as in a container" },
    "s3-conf": {
      type: "string",
      value: "FILE",
      about:
        "keep the notebooks in the bucket that this jupyter-s3-conf.json names (default: POMONA_S3_CONF, or the one in DIR)",
    },
    "s3-user": { type: "string", value: "NAME", about: "whose notebooks in that bucket (default: your login name)" },
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona lab",
    "pomona lab ~/my-notebooks --port 9999",
    "pomona lab --no-browser -- --ip=0.0.0.0",
    "pomona lab --s3-conf jupyter-s3-conf.json --s3-user jovyan",
  ],
  async run({ positionals, options, rest, signal, note }) {
    const folder = resolve(positionals[0] ?? join(PACKAGE_ROOT, "notebooks"));
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new PathNotFoundError(`There is no folder ${folder}.`, folder);
    }
    const port = wholeNumber(options, "port");
    const s3 = s3Environment(options, folder);
    if (s3.POMONA_S3_CONF) await refuseUnreachable(s3.POMONA_S3_CONF);
    refuseRoot(options["allow-root"] === true || rest.includes("--allow-root"));
    const python = jupyterPython();
    const { folder: kernel, changed } = await installKernelspec({ dataDir: dataDirOf(jupyterVenv()) });
    if (changed) note(`Registered the kernel in ${kernel}`);
    // JupyterLab's questions that ours answers: whether to fetch news, and which kernel a new notebook has.
    const folders = {
      config: [join(PACKAGE_ROOT, "kernel-ext", "jupyter"), SERVER_EXTENSIONS],
      data: [SERVER_EXTENSIONS],
    };
    // What is started in its terminals was not started by npm.
    const env = { ...process.env, npm_lifecycle_event: undefined, ...jupyterVariables(folders), ...s3 };
    const args = [
      // Ctrl-C is meant; in a terminal it reaches the server by itself.
      ...["-m", "jupyterlab", "--ServerApp.answer_yes=True", `--ServerApp.root_dir=${folder}`],
      // The first card of the launcher, and what a new notebook starts without a question: the question would preselect Python.
      `--MappingKernelManager.default_kernel_name=${KERNEL_NAME}`,
      ...(port === undefined ? [] : [`--port=${port}`]),
      ...["no-browser", "allow-root"].filter((name) => options[name] === true).map((name) => `--${name}`),
      ...rest,
    ];
    if (signal.aborted) return 0;
    const server = startJupyterServer(python, args, { stdio: "inherit", env });
    signal.addEventListener("abort", () => server.end(note), { once: true });
    const code = await server.ended;
    return signal.aborted ? 0 : (code ?? 1);
  },
};

/** What tells the server where notebooks are kept; the file in the folder of the notebooks it finds by itself. */
function s3Environment(options: OptionValues, folder: string): Record<string, string> {
  const user: Record<string, string> =
    typeof options["s3-user"] === "string" ? { POMONA_S3_USER: options["s3-user"] } : {};
  const named = options["s3-conf"];
  if (typeof named !== "string") {
    const isElsewhere = process.env.POMONA_S3_CONF || existsSync(join(folder, CONF));
    const own = join(PACKAGE_ROOT, CONF);
    return !isElsewhere && existsSync(own) && isEnabled(own) ? { ...user, POMONA_S3_CONF: own } : user;
  }
  const file = resolve(named);
  if (!existsSync(file)) throw new PathNotFoundError(`There is no file ${file}.`, file);
  if (!isEnabled(file)) {
    throw new UsageError(`${file} says that notebooks are not kept in S3.`, {
      remedy: 'Set "s3.persistence.enabled" to "true" in it, and "s3.persistence.bucket" to the name of a bucket.',
    });
  }
  return { ...user, POMONA_S3_CONF: file };
}

/** Whether a file turns it on; what else is wrong with it the server says. */
function isEnabled(file: string): boolean {
  return !/"s3\.persistence\.enabled"\s*:\s*"?false/i.test(readFileSync(file, "utf8"));
}

/** JupyterLab shows a bucket that can't be listed as an empty folder. @throws StorageError; what is wrong with the file the server says */
async function refuseUnreachable(file: string): Promise<void> {
  const properties = propertiesIn(readFileSync(file, "utf8"));
  const { bucket, endpoint, region } = Object.fromEntries(
    ["bucket", "endpoint", "region"].map((name) => [name, properties[`s3.persistence.${name}`]]),
  );
  if (typeof bucket !== "string" || bucket === "") return;
  const settings = {
    ...(typeof endpoint === "string" && endpoint !== ""
      ? { "fs.s3a.endpoint": endpoint, "fs.s3a.path.style.access": "true" }
      : {}),
    ...(typeof region === "string" && region !== "" ? { "fs.s3a.endpoint.region": region } : {}),
  };
  const { storage, url } = storagesFrom(settings).at(`s3://${bucket}/jupyter`);
  await storage.children(url);
}

function propertiesIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const entries = JSON.parse(text) as readonly { Classification?: unknown; Properties?: Record<string, unknown> }[];
    return entries.find(({ Classification }) => Classification === "jupyter-s3-conf")?.Properties ?? {};
  } catch {
    return {};
  }
}
