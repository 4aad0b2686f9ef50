import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cached, cacheEntry } from "./cache.mjs";
import { inRoot } from "./paths.mjs";
import { run } from "./processes.mjs";
import { fingerprint, isStamped, writeStamp } from "./stamp.mjs";

/**
 * @tensorflow/tfjs-node without its own download: the library comes from TensorFlow's pip wheel, the addon is compiled
 * here. Node-API is stable over Node versions, so that one addon serves Node 20, 22 and 24.
 */
const wheel = {
  version: "2.16.2",
  sha256: "c855cb6bf05d32dd5928086b03a5f6b4189b63c22b95e017703cbee4291023ca",
  target: ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"],
  platform: ["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64"],
};
const napi = 8;
const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

const packageDir = inRoot("node_modules", "@tensorflow", "tfjs-node");
const addonFile = join(packageDir, "lib", `napi-v${napi}`, "tfjs_binding.node");
const stampFile = join(packageDir, "lib", ".pomona-stamp");

/** Why the addon cannot be made on this machine, or undefined. */
export function tensorflowProblem({ python, compiler }) {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `TensorFlow's wheel is used on linux-x64 only; this is ${process.platform}-${process.arch}`;
  const { library, addon } = cacheNames();
  if (cached(library) && cached(addon)) return undefined;
  if (!python) return "it needs Python to fetch TensorFlow's wheel";
  if (!compiler) return "it needs a C++ compiler";
  return undefined;
}

/** Puts the addon into node_modules. @returns {Promise<string>} what was done, for the progress line */
export async function installTensorflow({ python, compiler, force }) {
  const names = cacheNames();
  const print = fingerprint({ values: [names.addon] });
  if (!force && isStamped(stampFile, print) && cached(names.library) && existsSync(addonFile)) return "up to date";

  const library = await cacheEntry(names.library, (folder) => unpackLibrary(folder, python));
  const addon = await cacheEntry(names.addon, (folder) => compileAddon(folder, library, compiler));
  mkdirSync(join(addonFile, ".."), { recursive: true });
  copyFileSync(join(addon, "tfjs_binding.node"), addonFile);
  await run(process.execPath, ["-e", "process.dlopen({ exports: {} }, process.argv[1])", addonFile]);
  writeStamp(stampFile, print);
  return `library and addon from ${library}`;
}

function cacheNames() {
  const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8"));
  const library = `libtensorflow-${wheel.version}`;
  return {
    library,
    addon: `tfjs-node-${version}-threads-${library}-napi-v${napi}-${process.platform}-${process.arch}`,
  };
}

/** Takes the two libraries and the C headers (630 MB of the wheel) into `folder`. */
async function unpackLibrary(folder, python) {
  console.log(`  fetching tensorflow-cpu ${wheel.version} (214 MB, once) into ${folder}`);
  const download = join(folder, "download");
  mkdirSync(download, { recursive: true });
  const requirements = join(download, "requirements.txt");
  writeFileSync(requirements, `tensorflow-cpu==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", download];
  // A throw-away environment, because a system Python may come without pip.
  const environment = join(download, "venv");
  await run(python.command, ["-m", "venv", environment]);
  const pip = [join(environment, "bin", "python"), ["-m", "pip", "download", ...options]];
  await run(pip[0], [...pip[1], ...wheel.target, ...wheel.platform, "-r", requirements]);
  await run(python.command, ["-c", unpackScript, download, folder, ...libraries]);
  rmSync(download, { recursive: true });
}

const unpackScript = `
import glob, os, shutil, sys, zipfile
download, folder, *libraries = sys.argv[1:]
prefixes = tuple("tensorflow/include/" + part for part in ("tensorflow/c/", "tensorflow/core/platform/", "tsl/c/", "tsl/platform/"))
with zipfile.ZipFile(glob.glob(os.path.join(download, "*.whl"))[0]) as wheel:
    for name in wheel.namelist():
        if name.startswith(prefixes) and name.endswith(".h"):
            target = os.path.join(folder, os.path.relpath(name, "tensorflow"))
        elif name.startswith("tensorflow/lib") and os.path.basename(name) in libraries:
            target = os.path.join(folder, "lib", os.path.basename(name))
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with wheel.open(name) as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
`;

async function compileAddon(folder, library, compiler) {
  const lib = join(library, "lib");
  const binding = join(packageDir, "binding");
  const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
  const defines = [`-DNAPI_VERSION=${napi}`, "-DBUILDING_NODE_EXTENSION"];
  const includes = [`-I${binding}`, `-I${headers}`, `-I${join(library, "include")}`];
  const link = [`-L${lib}`, ...libraries.map((name) => `-l:${name}`), `-Wl,-rpath,${lib}`];
  const backend = join(folder, "tfjs_backend.cc");
  writeFileSync(backend, perThread(readFileSync(join(binding, "tfjs_backend.cc"), "utf8")));
  const sources = [backend, join(binding, "tfjs_binding.cc")];
  const flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-w"];
  const output = ["-o", join(folder, "tfjs_binding.node")];
  await run(compiler.command, [...flags, ...defines, ...includes, ...sources, ...link, ...output]);
}

/** The addon keeps one set for the whole process, without a lock; worker threads need one each. */
function perThread(source) {
  const shared = "static std::set<std::string> ATTR_NAME_SET;";
  if (!source.includes(shared)) throw new Error("tfjs-node's addon is not the one this set-up knows how to build.");
  return source.replace(shared, shared.replace("static", "static thread_local"));
}
