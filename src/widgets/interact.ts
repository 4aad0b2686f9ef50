import { types } from "node:util";
import { kernelHost } from "../kernel/kernel-host";
import { display } from "../notebook/display";
import { represented } from "../notebook/represent";
import {
  type Abbreviation,
  type Arguments,
  type Controls,
  controlFor,
  isFixed,
  type ValueWidget,
} from "./abbreviations";
import { VBox } from "./boxes";
import { errorStack } from "./callbacks";
import type { Text } from "./controls";
import { Output } from "./output";

/**
 * Shows controls for a function's parameters and, below them, what the function prints, displays and returns; runs it now and
 * after each change. While an async function runs, further changes wait, and the latest of them counts.
 *
 *     interact(({ n, name }) => name.repeat(n), { n: [1, 10], name: ["a", "b"] });
 *
 * @param run takes the controls' values as one object
 * @param controls for each parameter a widget, a value without a control ({@link fixed}) or an abbreviation: `[min, max]` or
 * `[min, max, step]` (a slider; of whole numbers if all are whole), a number (a slider around it), a boolean (a checkbox),
 * a string (a text field), an array of other values, of `[label, value]`, or `{ label: value }` (a dropdown)
 * @returns a promise, if `run` is async, of the end of its first run
 * @see https://ipywidgets.readthedocs.io/en/stable/examples/Using%20Interact.html
 */
export function interact<C extends Controls, R>(
  run: (values: Arguments<C>) => R,
  controls: C,
): R extends PromiseLike<unknown> ? Promise<void> : undefined {
  const box = new Interactive(run as Run, controls);
  void display(box);
  return box.update() as R extends PromiseLike<unknown> ? Promise<void> : undefined;
}

/** What {@link interact} shows, to be displayed or put in a box by the caller; the function has run once. */
export function interactive<C extends Controls, R>(run: (values: Arguments<C>) => R, controls: C): Interactive<R> {
  const box = new Interactive<R>(run as Run, controls);
  void box.update();
  return box;
}

type Run = (values: Readonly<Record<string, unknown>>) => unknown;

/** Controls, and what a function makes of their values. */
export class Interactive<R = unknown> extends VBox {
  /** The control of each parameter. */
  readonly controls: Readonly<Record<string, ValueWidget>>;
  /** Where the function's output appears. */
  readonly output: Output;
  /** What the function returned last; undefined before, and after an error. */
  result: Awaited<R> | undefined;
  readonly #run: Run;
  readonly #fixed: Readonly<Record<string, unknown>>;
  #turn: Promise<void> | undefined;
  #isRunning = false;
  #isStale = false;

  /** @internal */
  constructor(run: Run, given: Controls) {
    const entries = Object.entries(given);
    const controls = Object.fromEntries(
      entries
        .filter(([, each]) => !isFixed(each))
        .map(([name, each]) => [name, controlFor(name, each as Abbreviation)]),
    );
    const output = new Output();
    super([...Object.values(controls), output]);
    this.controls = controls;
    this.output = output;
    this.#run = run;
    this.#fixed = Object.fromEntries(entries.flatMap(([name, each]) => (isFixed(each) ? [[name, each.value]] : [])));
    for (const control of Object.values(controls)) {
      (control as Text).observe(() => this.update(), "value");
    }
  }

  /** Runs the function with the controls' values; the promise, for an async function, settles when the latest run has ended. */
  update(): Promise<void> | undefined {
    if (this.#isRunning) {
      this.#isStale = true;
      return this.#turn;
    }
    this.#isRunning = true;
    let first: Promise<void> | undefined;
    try {
      do {
        this.#isStale = false;
        first = this.#once();
      } while (!first && this.#isStale);
    } finally {
      if (!first) this.#isRunning = false;
    }
    this.#turn = first && this.#runOn(first);
    return this.#turn;
  }

  async #runOn(first: Promise<void>): Promise<void> {
    try {
      await first;
      while (this.#isStale) {
        this.#isStale = false;
        await this.#once();
      }
    } finally {
      this.#isRunning = false;
      this.#turn = undefined;
    }
  }

  /** One run; a promise for an async function. */
  #once(): Promise<void> | undefined {
    const values = Object.entries(this.controls).map(([name, control]) => [name, control.value]);
    return this.output.capture(() => {
      kernelHost()?.clearOutput(true);
      this.result = undefined;
      try {
        const returned = this.#run({ ...this.#fixed, ...Object.fromEntries(values) });
        if (types.isPromise(returned)) return returned.then((value) => this.#show(value)).catch(showError);
        return this.#show(returned)?.catch(showError);
      } catch (error) {
        showError(error);
      }
      return undefined;
    });
  }

  /** Shows a result, unless the controls have changed since; a promise where that takes time, as for a DataFrame. */
  #show(value: unknown): Promise<void> | undefined {
    if (this.#isStale) return undefined;
    this.result = value as Awaited<R>;
    if (value === undefined) return undefined;
    const bundle = represented(value);
    if (types.isPromise(bundle)) return bundle.then((data) => display(data));
    void display(bundle);
    return undefined;
  }
}

function showError(error: unknown): void {
  console.error(errorStack(error));
}
