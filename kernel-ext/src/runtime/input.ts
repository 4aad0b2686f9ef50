import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { PomonaError } from "pomona/kernel";
import type { InputAnswer } from "../messages";
import { KeyboardInterrupt } from "./cell-error";
import type { Output } from "./output";

/** Thrown when a cell asks for input that no one can give. */
export class InputNotAllowedError extends PomonaError {
  constructor() {
    super("This notebook is executed without someone to answer, so it can't ask for input.", {
      remedy: "Set the value in the cell tagged parameters, or run the notebook in JupyterLab.",
    });
  }
}

export interface Input {
  readLineSync(prompt: string, options: { readonly password: boolean }): string;
  readLine(prompt: string, options: { readonly password: boolean }): Promise<string>;
}

/** @param ready what io sets to 1 once an answer lies on `port` */
export function inputFrom(port: MessagePort, ready: Int32Array, output: Output): Input {
  const ask = (prompt: string, password: boolean) => {
    // The answer to a question that an interrupt ended may still lie there.
    while (receiveMessageOnPort(port));
    Atomics.store(ready, 0, 0);
    output.post({ op: "input", prompt, password, parent: output.parent });
  };
  /** One question at a time: the front end has one field. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    readLineSync(prompt, { password }) {
      ask(prompt, password);
      Atomics.wait(ready, 0, 0);
      return lineOf(take(port));
    },
    readLine(prompt, { password }) {
      const line = last.then(async () => {
        ask(prompt, password);
        while (Atomics.load(ready, 0) === 0) await new Promise((done) => setTimeout(done, 20));
        return lineOf(take(port));
      });
      last = line.catch(() => undefined);
      return line;
    },
  };
}

function take(port: MessagePort): InputAnswer {
  const received = receiveMessageOnPort(port) as { message: InputAnswer } | undefined;
  if (!received) throw new Error("The kernel was woken for an answer that is not there.");
  return received.message;
}

function lineOf(answer: InputAnswer): string {
  if ("value" in answer) return answer.value;
  if ("notAllowed" in answer) throw new InputNotAllowedError();
  throw new KeyboardInterrupt();
}
