import type { Engine } from "../engine/contract";
import { inNotebook } from "../notebook/display";
import { showNotebookProgress } from "../progress/notebook";
import { noteOf } from "../progress/state";
import { showTerminalProgress } from "../progress/terminal";
import type { RuntimeConfig } from "./configuration";

/**
 * Shows the progress of an engine's jobs where the setting `pomona.progress` says. `auto` is the notebook in a notebook,
 * the console on a terminal, and nowhere else: a program's output is its own.
 * @returns a function that ends it
 */
export function showProgress(engine: Engine, conf: RuntimeConfig): () => void {
  switch (conf.get("pomona.progress")) {
    case "console":
      return showTerminalProgress(engine);
    case "notebook":
      return showNotebookProgress(engine);
    case "off":
      return () => {};
    default:
      if (inNotebook()) return showNotebookProgress(engine);
      return process.stderr.isTTY ? showTerminalProgress(engine) : warningsTo(engine);
  }
}

/** Without a progress display, what a user must know still goes to standard error. */
function warningsTo(engine: Engine): () => void {
  return engine.subscribe((event) => {
    const note = noteOf(event);
    if (note?.level === "warn") process.stderr.write(`${note.text}\n`);
  });
}
