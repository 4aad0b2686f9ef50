import { ShippedFileError } from "../data/shipped-file";
import { PomonaError } from "../errors";
import type { AskFiles, ThreadAnswer, ThreadRequest } from "./file-messages";
import type { ShippedCopies } from "./shipped-copies";

/** A thread's way to its host, for files of the driver's machine. */
export interface ThreadFiles {
  readonly ask: AskFiles;
  readonly copies: ShippedCopies;
  answered(answer: ThreadAnswer): void;
}

export function threadFiles(send: (request: ThreadRequest) => void): ThreadFiles {
  const waiting = new Map<number, (answer: ThreadAnswer) => void>();
  let asked = 0;
  const answerTo = (request: (id: number) => ThreadRequest) =>
    new Promise<ThreadAnswer>((resolve) => {
      const id = asked++;
      waiting.set(id, resolve);
      send(request(id));
    });
  return {
    async ask(request, piece) {
      const answer = await answerTo((id) => ({ type: "files", id, request, ...(piece ? { piece } : {}) }));
      if (answer.type !== "files") throw new PomonaError("A host answered something else than it was asked.");
      return answer;
    },
    copies: {
      async path(file) {
        const answer = await answerTo((id) => ({ type: "copy", id, file }));
        if ("path" in answer) return answer.path;
        if (answer.type !== "copy") throw new PomonaError("A host answered something else than it was asked.");
        const { name, message, retryable } = answer.failed;
        throw Object.assign(new ShippedFileError(message, { retryable }), { name });
      },
    },
    answered(answer) {
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    },
  };
}
