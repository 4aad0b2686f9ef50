// Fits onnxruntime-node to this machine, before its own install script runs: as a package it holds every system's library
// (290 MB), and its script fetches NVIDIA's providers (350 MB) from NuGet, and fails where NuGet can't be reached. The other
// native packages install for one system alone; networks run on the CPU.
const { existsSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

const { platform, arch } = process;
try {
  const systems = join(dirname(require.resolve("onnxruntime-node/package.json")), "bin", "napi-v6");
  const own = join(systems, platform, arch);
  if (existsSync(join(own, "onnxruntime_binding.node"))) {
    for (const system of readdirSync(systems))
      for (const processor of readdirSync(join(systems, system)))
        if (system !== platform || processor !== arch) rmSync(join(systems, system, processor), { recursive: true });
    // An empty file is what the script takes for "already installed"; it asks for them on this system alone.
    const providers = platform === "linux" && arch === "x64" ? ["cuda", "shared", "tensorrt"] : [];
    for (const provider of providers) {
      const file = join(own, `libonnxruntime_providers_${provider}.so`);
      if (!existsSync(file)) writeFileSync(file, "");
    }
  }
} catch {
  // It is not installed, or may not be changed: then it works as it is, or its own script says why not.
}
