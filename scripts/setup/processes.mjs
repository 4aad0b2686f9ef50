import { spawn, spawnSync } from "node:child_process";
import { root } from "./paths.mjs";

/** A command that ended with an error; the message carries the first and last lines of what it printed. */
export class CommandError extends Error {
  constructor(command, args, reason, output) {
    const lines = output.trimEnd().split("\n");
    const shown = lines.length > 32 ? [...lines.slice(0, 16), "...", ...lines.slice(-16)] : lines;
    super(`${[command, ...args].join(" ")}: ${reason}\n${shown.join("\n")}`.trimEnd());
    this.name = "CommandError";
  }
}

/**
 * Runs a command quietly and gives its stdout.
 * @param {{ cwd?: string, env?: Record<string, string>, live?: boolean }} options `live` shows the output as it comes
 * @throws {CommandError} when it cannot start or ends with a code other than 0
 */
export function run(command, args, { cwd = root, env = {}, live = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: live ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let all = "";
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      all += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      all += chunk;
    });
    child.on("error", (error) => reject(new CommandError(command, args, error.message, all)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(command, args, signal ? `ended by ${signal}` : `exit code ${code}`, all));
    });
  });
}

/** What a short command prints, or undefined where it is missing or fails. */
export function probe(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? stdout.trim() : undefined;
}

/** npm, run by the Node that runs us, so that the versions on PATH do not matter. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith(".js") ? run(process.execPath, [cli, ...args], options) : run("npm", args, options);
}
