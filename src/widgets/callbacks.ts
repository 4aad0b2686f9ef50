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
      console.error(`The function given to ${place} failed:\n${errorText(error)}`);
    }
  };
  const ofCell = AsyncResource.bind((message: Runner, args: A) => atMessage.run(message, () => safely(args)));
  return {
    call(...args) {
      const message = atMessage.getStore();
      return message ? ofCell(message, args) : safely(args);
    },
  };
}

/** A function that runs another one in the context it was made in. */
type Runner = <T>(run: () => T) => T;

const atMessage = new AsyncLocalStorage<Runner>();

/** Runs code that answers a message of the front end, and remembers its context for {@link outOfCell}. */
export function inMessage<T>(run: () => T): T {
  const snapshot = AsyncLocalStorage.snapshot() as Runner;
  return atMessage.run(snapshot, run);
}

/**
 * Runs code as part of the front end's message that is being answered, if there is one, rather than of the cell that its
 * callback is tied to. The front end catches outputs for an Output widget by the message it waits for; after a reload of the
 * page it knows no cell's message any more.
 */
export function outOfCell<T>(run: () => T): T {
  const runner = atMessage.getStore();
  return runner ? runner(run) : run();
}

export function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
