import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/** Something that a user wants called. */
export interface Callback<A extends readonly unknown[]> {
  /** Runs it; an error goes to standard error of its cell. The promise settles when it is done. */
  call(...args: A): Promise<void>;
}

/**
 * Ties a function to the cell that runs now: what it prints when the user does something appears below that cell. Where code in
 * a cell brings it about, that cell is the place.
 * @param place what to say when it fails, such as `IntSlider.observe`
 */
export function callback<A extends readonly unknown[]>(run: (...args: A) => unknown, place: string): Callback<A> {
  const safely = async (args: A) => {
    try {
      await run(...args);
    } catch (error) {
      console.error(`The function given to ${place} failed:\n${errorStack(error)}`);
    }
  };
  const ofCell = AsyncResource.bind((args: A) => inMessage(() => safely(args)));
  return {
    call: (...args) => (answering.getStore() ? ofCell(args) : safely(args)),
  };
}

/** True in code that answers a message of the front end. */
const answering = new AsyncLocalStorage<boolean>();

/** Runs code that answers a message of the front end. */
export function inMessage<T>(run: () => T): T {
  return answering.run(true, run);
}

export function errorStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
