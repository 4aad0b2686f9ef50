import { join } from "node:path";
import { ABOUT } from "./abouts";
import {
  type Command,
  type CommandContext,
  type CommandGroup,
  type OptionSpecs,
  SHARED_OPTIONS,
  UsageError,
} from "./command";
import { dataDirOf, jupyterVenv, prefixOf, searchedDataDirs, userDataDir } from "./jupyter-paths";
import {
  installKernelspec,
  KERNEL_DISPLAY_NAME,
  KERNEL_NAME,
  kernelFolder,
  kernelspec,
  listKernelspecs,
  uninstallKernelspec,
} from "./kernelspec";

/** Where a kernel goes, or comes from. */
const PLACE = {
  "sys-prefix": {
    type: "string",
    value: "PYTHON",
    optionalValue: true,
    about: "where this Python looks for kernels; the default, with the Python of .venv or POMONA_VENV",
  },
  user: { type: "boolean", about: "where every Jupyter of this user looks" },
  prefix: { type: "string", value: "DIR", about: "below DIR, in share/jupyter/kernels" },
  name: { type: "string", value: "NAME", default: KERNEL_NAME, about: "the kernel's name" },
} as const satisfies OptionSpecs;

const install: Command = {
  name: "kernel install",
  about: "Register the kernel, so that Jupyter offers it and notebooks can ask for it.",
  positionals: [],
  options: {
    ...PLACE,
    "display-name": { type: "string", value: "TEXT", default: KERNEL_DISPLAY_NAME, about: "what Jupyter shows" },
    "dry-run": { type: "boolean", about: "print kernel.json and where it would go; write nothing" },
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona kernel install",
    "pomona kernel install --user",
    "pomona kernel install --sys-prefix /opt/conda/bin/python",
    'pomona kernel install --prefix /usr/local --name pomona-dev --display-name "TypeScript (Pomona, dev)"',
  ],
  async run({ options, print }) {
    const dataDir = await placeOf(options);
    const name = String(options.name);
    const displayName = String(options["display-name"]);
    if (options["dry-run"]) {
      const folder = kernelFolder(dataDir, name);
      const spec = kernelspec({ displayName });
      if (options.json) print(JSON.stringify({ folder, kernelspec: spec }));
      else print(`${join(folder, "kernel.json")}\n${JSON.stringify(spec, null, 2)}`);
      return 0;
    }
    const { folder, changed } = await installKernelspec({ dataDir, name, displayName });
    if (options.json) print(JSON.stringify({ folder, changed }));
    else print(changed ? `Installed "${displayName}" in ${folder}` : `Up to date: ${folder}`);
    return 0;
  },
};

const uninstall: Command = {
  name: "kernel uninstall",
  about: "Take the kernel's registration away again.",
  positionals: [],
  options: { ...PLACE, json: SHARED_OPTIONS.json, help: SHARED_OPTIONS.help },
  examples: ["pomona kernel uninstall", "pomona kernel uninstall --user --name pomona-dev"],
  async run({ options, print }) {
    const folder = await uninstallKernelspec(await placeOf(options), String(options.name));
    print(options.json ? JSON.stringify({ folder }) : `Removed ${folder}`);
    return 0;
  },
};

const list: Command = {
  name: "kernel list",
  about: "Show where the kernel is registered, which Node runs it, and whether it is all there.",
  positionals: [],
  options: { json: SHARED_OPTIONS.json, help: SHARED_OPTIONS.help },
  examples: ["pomona kernel list"],
  async run({ options, print }) {
    const kernels = await listKernelspecs(searchedDataDirs(jupyterVenv()));
    if (options.json) print(JSON.stringify({ kernels }));
    else if (kernels.length === 0) print("No kernel of Pomona is registered; pomona kernel install does it.");
    for (const { name, displayName, folder, node, problems } of options.json ? [] : kernels) {
      print(`${name}  "${displayName}"\n  ${folder}\n  Node: ${node}\n  ${problems.join("; ") || "complete"}`);
    }
    return 0;
  },
};

/** `pomona kernel`: installs the Jupyter kernel, removes it, lists where it is. */
export const kernel: CommandGroup = {
  name: "kernel",
  about: ABOUT.kernel,
  commands: [install, uninstall, list],
};

/** Jupyter's data folder that the options name. @throws UsageError where they name two */
async function placeOf(options: CommandContext["options"]): Promise<string> {
  const given = ["sys-prefix", "user", "prefix"].filter(
    (name) => options[name] !== undefined && options[name] !== false,
  );
  if (given.length > 1) {
    throw new UsageError(`${given.map((name) => `--${name}`).join(" and ")} name two places.`, {
      remedy: "Give one of them.",
    });
  }
  if (options.user) return userDataDir();
  if (typeof options.prefix === "string") return dataDirOf(options.prefix);
  const python = options["sys-prefix"];
  return dataDirOf(typeof python === "string" && python !== "" ? await prefixOf(python) : jupyterVenv());
}
