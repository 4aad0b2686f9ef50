#!/usr/bin/env node
// Sets the checkout up, then opens JupyterLab: `npm run lab [-- DIR --port N --no-browser -- options for jupyter lab]`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { inRoot } from "./setup/paths.mjs";
import { setup } from "./setup.mjs";

const cli = inRoot("dist", "cli", "main.js");
const args = process.argv.slice(2);
const { ready, missing } = args.includes("--help") && existsSync(cli) ? { ready: true, missing: [] } : await setup();
if (!ready || missing.includes("jupyter")) {
  console.error("JupyterLab cannot be opened without what set-up could not make (see above).");
  process.exit(1);
}
// From here on the command line has Ctrl-C.
const lab = spawn(process.execPath, [cli, "lab", ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && lab.kill(signal));
lab.on("close", (code) => {
  process.exitCode = code ?? 1;
});
