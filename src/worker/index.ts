/* What a kernel needs to run tasks for a driver on another machine. */
export { serveWorkers } from "./host";
export { WORKER_SESSION, WORKER_TARGET } from "./host-messages";
