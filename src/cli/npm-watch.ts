/** How often it is looked, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * Calls `gone` once, when the npm or npx has ended that started this command: it hands a signal to the shell between them alone. A
 * command that no npm started may outlive whoever did, as with nohup.
 * @returns what ends the watch
 */
export function watchNpm(gone: () => void): () => void {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
