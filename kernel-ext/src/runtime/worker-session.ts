/** Of `pomona/worker`, which is not loaded for its name. */
const SESSION: typeof import("pomona/worker").WORKER_SESSION = "pomona-worker";

/**
 * How long a session that started this kernel for its tasks may say nothing, in milliseconds; undefined for a kernel that was started
 * for something else. A Jupyter server tells a kernel its session's name so.
 */
export function leaseOfTasks(name = process.env.JPY_SESSION_NAME): number | undefined {
  const match = new RegExp(`(?:^|/)${SESSION}-(\\d+)-[0-9a-f-]{36}$`).exec(name ?? "");
  return match ? Number(match[1]) : undefined;
}
