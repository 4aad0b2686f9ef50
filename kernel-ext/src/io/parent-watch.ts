/**
 * Calls `gone` once, when the process that started this one has ended: a kernel must not outlive its server.
 * @param env for `JPY_PARENT_PID`, which Jupyter sets
 */
export function watchParent(gone: () => void, env: NodeJS.ProcessEnv = process.env): void {
  const start = process.ppid;
  const told = Number(env.JPY_PARENT_PID);
  // Process 1 as parent: a server that is a container's first process, or one that ended before we looked.
  const isOrphan = start === 1 ? () => told > 1 && !isAlive(told) : () => process.ppid !== start;
  const timer = setInterval(() => {
    if (!isOrphan()) return;
    clearInterval(timer);
    gone();
  }, INTERVAL_MS);
  timer.unref();
}

const INTERVAL_MS = 1000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
