import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { venvProgram } from "../support/jupyter";

export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | string[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly ename?: string;
  readonly evalue?: string;
  readonly traceback?: readonly string[];
}

export interface ExecutedCell {
  readonly cell_type: string;
  readonly source: string | string[];
  readonly execution_count?: number | null;
  readonly metadata: { readonly tags?: readonly string[] };
  readonly outputs: readonly Output[];
}

export const cellsOf = (path: string): ExecutedCell[] =>
  (JSON.parse(readFileSync(path, "utf8")) as { cells: ExecutedCell[] }).cells;

/** What a cell printed, and what its last expression gave, as text. */
export function textOf(cell: ExecutedCell | undefined): string {
  const texts = (cell?.outputs ?? []).map(({ text, data }) => [text ?? data?.["text/plain"] ?? ""].flat().join(""));
  return texts.join("");
}

/** The errors of a cell, without colours. */
export const errorsOf = (cell: ExecutedCell | undefined): string[] =>
  (cell?.outputs ?? [])
    .filter(({ output_type }) => output_type === "error")
    .map(({ ename, evalue, traceback = [] }) =>
      stripVTControlCharacters([`${ename}: ${evalue}`, ...traceback].join("\n")),
    );

/** Runs a module of `.venv`'s Python, such as `papermill`. */
export function pythonModule(name: string, args: readonly string[], cwd?: string): SpawnSyncReturns<string> {
  return spawnSync(venvProgram("python"), ["-m", name, ...args], { encoding: "utf8", ...(cwd ? { cwd } : {}) });
}
