import type { ShippedFile } from "../data/shipped-file";
import { PomonaError } from "../errors";
import type { Runtime } from "../frame/runtime";

/** `transform` got a DataFrame of a session whose workers do not have the model. */
export class ModelNotBroadcastError extends PomonaError {}

/** A model's large values on their way to workers: `transform` is synchronous, sending is not. */
export interface ModelBroadcast {
  /** Puts the values where the runtime's workers read them. */
  send(runtime: Runtime): Promise<void>;
  /** Where they are. @throws ModelNotBroadcastError */
  fileFor(runtime: Runtime): ShippedFile;
}

export function modelBroadcast(model: string, value: unknown): ModelBroadcast {
  const sent = new WeakMap<Runtime, ShippedFile>();
  return {
    async send(runtime) {
      if (!sent.has(runtime)) sent.set(runtime, await runtime.broadcast(value));
    },
    fileFor(runtime) {
      const file = sent.get(runtime);
      if (file) return file;
      throw new ModelNotBroadcastError(`This ${model} has not been sent to the DataFrame's session.`, {
        remedy: `Await model.broadcast(session) once before transform, or load it with ${model}.load(path, session).`,
      });
    },
  };
}
