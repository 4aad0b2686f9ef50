import type { ShippedFile } from "../data/shipped-file";
import { byteBudget } from "../storage/byte-budget";
import type { Answered, AskFiles, FileRequest, ThreadAnswer, ThreadRequest } from "./file-messages";
import type { FromHost } from "./host-messages";
import { relayedStorage } from "./relayed-storage";
import { shippedCopies } from "./shipped-copies";
import { remoteError } from "./task-errors";

/** What is on its way between a host and its driver: on a slow line all else, such as an interrupt, waits behind it. */
const IN_FLIGHT_BYTES = 1024 * 1024;
const IN_FLIGHT_REQUESTS = 64;

/** A host's way to the files of its driver's machine. A slot is a thread; none is the host itself. */
export interface HostFiles {
  /** Answers what a thread asks. */
  answer(slot: number, request: ThreadRequest): Promise<ThreadAnswer>;
  /** Takes an answer of the driver. */
  answered(id: number, answered: Answered): void;
}

/**
 * @param send sends a request to the driver
 * @param variables say where copies of what is shipped go
 */
export function hostFiles(
  send: (message: Omit<Extract<FromHost, { type: "files" }>, "type">, piece?: Uint8Array) => void,
  variables: NodeJS.ProcessEnv,
): HostFiles {
  const budget = byteBudget(IN_FLIGHT_BYTES, IN_FLIGHT_REQUESTS);
  const waiting = new Map<number, (answered: Answered) => void>();
  let asked = 0;
  let [waited, waitingSince, moved] = [0, 0, 0];

  const askFor =
    (slot?: number): AskFiles =>
    (request, piece) =>
      budget.use(bytesOf(request, piece), () => {
        const id = asked++;
        if (waiting.size === 0) waitingSince = performance.now();
        return new Promise((resolve) => {
          waiting.set(id, (answered) => {
            moved += (answered.piece ?? piece)?.byteLength ?? 0;
            resolve(answered);
          });
          send({ id, slot, request, waited: waited + performance.now() - waitingSince, moved }, piece);
        });
      });
  const own = relayedStorage(askFor());
  const copies = shippedCopies((url) => own.readStream(url), variables);

  async function copyOf(id: number, file: ShippedFile): Promise<ThreadAnswer> {
    try {
      return { type: "copy", id, path: await copies.path(file) };
    } catch (error) {
      return { type: "copy", id, failed: remoteError(error) };
    }
  }

  return {
    async answer(slot, message) {
      if (message.type === "copy") return copyOf(message.id, message.file);
      return { type: "files", id: message.id, ...(await askFor(slot)(message.request, message.piece)) };
    },
    answered(id, answered) {
      waiting.get(id)?.(answered);
      if (waiting.delete(id) && waiting.size === 0) waited += performance.now() - waitingSince;
    },
  };
}

function bytesOf(request: FileRequest, piece: Uint8Array | undefined): number {
  return request.op === "read" ? request.end - request.start : (piece?.byteLength ?? 0);
}
