import type { MessagePort } from "node:worker_threads";
import type { Content, Header, InputAnswer } from "../messages";
import type { ExecuteItem, RunningExecution } from "./execute-queue";
import type { Incoming } from "./wire";

/** What main asks. */
export interface Question {
  readonly prompt: string;
  readonly password: boolean;
  readonly parent: Header | undefined;
}

export interface InputDesk {
  /** Main asks for a line. */
  ask(question: Question): void;
  /** A client sent an `input_reply`. @returns what is wrong with it */
  reply(message: Incoming): string | undefined;
  /** Nobody will answer any more: the execution was interrupted, or ended. @returns false where nothing was asked */
  cancel(): boolean;
}

export interface InputDeskOptions {
  readonly running: () => RunningExecution | undefined;
  /** Sends an `input_request` to the client of the execution. @returns its `msg_id` */
  readonly ask: (to: ExecuteItem, content: Content) => string;
  readonly answers: MessagePort;
  /** Wakes main. */
  readonly ready: Int32Array;
}

/** Questions go one after the other to the client whose cell asks. */
export function inputDesk({ running, ask, answers, ready }: InputDeskOptions): InputDesk {
  const questions: Question[] = [];
  const earlier = new Set<string>();
  let open: { readonly id: string; readonly client: string } | undefined;

  const answer = (content: InputAnswer) => {
    answers.postMessage(content);
    Atomics.store(ready, 0, 1);
    Atomics.notify(ready, 0);
  };
  const next = () => {
    const question = open ? undefined : questions[0];
    const client = running();
    if (!question || !client) return;
    const id = ask(client, { prompt: question.prompt, password: question.password });
    open = { id, client: clientOf(client.idents) };
  };
  const close = (content: InputAnswer) => {
    if (open) earlier.add(open.id);
    open = undefined;
    questions.shift();
    answer(content);
  };

  return {
    ask(question) {
      const client = running();
      if (!client?.content.allow_stdin || client.header.msg_id !== question.parent?.msg_id)
        return answer({ notAllowed: true });
      questions.push(question);
      next();
    },
    reply({ idents, parent, content }) {
      if (!open) return "nothing was asked";
      if (clientOf(idents) !== open.client) return "another client was asked";
      // A reply without a parent is the usual one; one with the wrong parent comes too late.
      if (typeof parent.msg_id === "string" && earlier.has(parent.msg_id)) return "it comes too late";
      close(typeof content.value === "string" ? { value: content.value } : { interrupted: true });
      next();
      return undefined;
    },
    cancel() {
      const wasAsked = questions.length > 0;
      while (questions.length > 0) close({ interrupted: true });
      return wasAsked;
    },
  };
}

function clientOf(idents: readonly Buffer[]): string {
  return idents.map((ident) => ident.toString("hex")).join(",");
}
