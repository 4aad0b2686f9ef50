import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "../../errors";
import { WORKER_SESSION } from "../../worker/host-messages";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointKernelError, NotJupyterError } from "./errors";
import { restRequest } from "./rest";

/** How long a server may take to end a kernel, at a session's end. */
const END_MILLISECONDS = 5_000;

/** How often it is asked whether a kernel is gone, and for how many times. */
const LOOK_MILLISECONDS = 500;
const MOST_LOOKS = 40;

/**
 * Starts a kernel of ours and gives its id. Should nobody speak to it, since this process is gone, it ends by itself after the lease;
 * behind a gateway only as that ends idle kernels.
 * @throws EndpointError
 */
export async function startKernel(
  endpoint: EndpointSettings,
  leaseMilliseconds: number,
  signal: AbortSignal,
): Promise<string> {
  const name = await kernelName(endpoint, signal);
  // Gateways hand on variables of these names; other servers leave them alone.
  const forGateway = Object.entries(endpoint.env).filter(([variable]) => variable.startsWith("KERNEL_"));
  // A Jupyter server tells a kernel its session's name, and takes no variables.
  const session = `${WORKER_SESSION}-${leaseMilliseconds}-${randomUUID()}`;
  const [path, body] =
    forGateway.length > 0
      ? ["api/kernels", { name, env: Object.fromEntries(forGateway) }]
      : ["api/sessions", { path: session, name: session, type: WORKER_SESSION, kernel: { name } }];
  // A server that was asked makes one, whoever waits for its answer: so it is heard, and the kernel ended.
  const made = restRequest(endpoint, "POST", path, { body }).then((answer) => {
    const started = (answer.body ?? {}) as Started & { readonly kernel?: Started };
    const id = path === "api/kernels" ? started.id : started.kernel?.id;
    if (typeof id === "string") return id;
    throw new NotJupyterError(endpoint.name, "it starts no kernel");
  });
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    throwIfAborted(signal);
    return await Promise.race([made, aborted]);
  } catch (error) {
    if (signal.aborted) void made.then((id) => endKernel(endpoint, id)).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface Started {
  readonly id?: unknown;
}

/**
 * Ends a kernel, and looks that it has ended; one that is gone is fine. While its server starts it anew it can't be ended: that
 * would leave a process that the server has forgotten.
 * @throws EndpointError where the server does not answer
 */
export async function endKernel(endpoint: EndpointSettings, id: string): Promise<void> {
  const options = { taken: [404], timeout: END_MILLISECONDS };
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const { status, body } = await restRequest(endpoint, "GET", `api/kernels/${id}`, options);
    if (status === 404) return;
    const { execution_state: state } = (body ?? {}) as { readonly execution_state?: unknown };
    const isStarting = state === "restarting" || state === "starting";
    if (!isStarting || looks > MOST_LOOKS / 2) {
      const { status } = await restRequest(endpoint, "DELETE", `api/kernels/${id}`, { ...options, taken: [404, 500] });
      if (status !== 500) return;
    }
    await sleep(LOOK_MILLISECONDS);
  }
}

interface Spec {
  readonly spec?: { readonly language?: string; readonly display_name?: string };
}

async function kernelName(endpoint: EndpointSettings, signal: AbortSignal): Promise<string> {
  const { body } = await restRequest(endpoint, "GET", "api/kernelspecs", { signal });
  const { kernelspecs } = (body ?? {}) as { readonly kernelspecs?: Readonly<Record<string, Spec>> };
  if (typeof kernelspecs !== "object" || kernelspecs === null)
    throw new NotJupyterError(endpoint.name, "it lists no kernels");
  const names = Object.keys(kernelspecs);
  const wanted = endpoint.kernel;
  const found = wanted === undefined ? names.find((name) => isOurs(name, kernelspecs[name]!)) : wanted;
  if (found !== undefined && names.includes(found)) return found;
  const there = names.length === 0 ? "none" : names.sort().join(", ");
  const what = wanted === undefined ? "it has no kernel of Pomona" : `it has no kernel ${JSON.stringify(wanted)}`;
  throw new EndpointKernelError(endpoint.name, `${what}; there are: ${there}.`, {
    remedy: 'Install it there: pomona kernel install; or name another by "kernel" in pomona.endpoints.',
  });
}

function isOurs(name: string, { spec }: Spec): boolean {
  return spec?.language === "typescript" && (name.startsWith("pomona") || /pomona/i.test(spec.display_name ?? ""));
}
