import { nearest, PomonaError } from "../errors";
import { UsageError } from "./command";

/** A notebook as nbformat 4 has it, as far as it matters here. */
export interface Notebook {
  cells: Cell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

export interface Cell {
  cell_type: string;
  source: string | string[];
  metadata: { tags?: string[]; [key: string]: unknown };
  [key: string]: unknown;
}

/** The file is not a notebook of nbformat 4. */
export class NotebookFormatError extends PomonaError {}

/** A parameter was given, and the notebook has no cell tagged `parameters` to set it after. */
export class NoParametersCellError extends PomonaError {}

/** Parses a notebook. @throws NotebookFormatError */
export function parseNotebook(text: string, path: string): Notebook {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new NotebookFormatError(`${path} is not a notebook: it is not JSON.`, { cause });
  }
  const notebook = parsed as Partial<Notebook> | null;
  if (typeof notebook !== "object" || notebook?.nbformat !== 4 || !Array.isArray(notebook.cells)) {
    throw new NotebookFormatError(`${path} is not a notebook of nbformat 4.`, {
      remedy: "Open and save it in JupyterLab, which converts older ones.",
    });
  }
  return notebook as Notebook;
}

/**
 * Sets parameters as papermill does: a cell tagged `injected-parameters` behind the one tagged `parameters`, in place of
 * an earlier one. Numbers, true, false, null and JSON are taken as such, anything else as text.
 * @see https://papermill.readthedocs.io/en/latest/usage-parameterize.html
 */
export function withParameters(notebook: Notebook, parameters: readonly string[]): Notebook {
  if (parameters.length === 0) return notebook;
  const hasTag = (cell: Cell, tag: string) => cell.metadata.tags?.includes(tag) === true;
  const cells = notebook.cells.filter((cell) => !hasTag(cell, "injected-parameters"));
  const at = cells.findIndex((cell) => hasTag(cell, "parameters"));
  if (at < 0) {
    throw new NoParametersCellError("The notebook has no cell tagged `parameters`.", {
      remedy: "Tag the cell that holds the defaults: in JupyterLab, Property Inspector > Cell Tags.",
    });
  }
  refuseUnknown(parameters, [cells[at]!.source].flat().join(""));
  const injected: Cell = {
    cell_type: "code",
    id: "injected-parameters",
    metadata: { tags: ["injected-parameters"] },
    execution_count: null,
    outputs: [],
    source: ["// Parameters", ...parameters.map(assignment)].join("\n"),
  };
  return { ...notebook, cells: [...cells.slice(0, at + 1), injected, ...cells.slice(at + 1)] };
}

/** A name the cell does not set is a slip: the notebook would run on with its default. */
function refuseUnknown(parameters: readonly string[], source: string): void {
  const declared = /^\s*(?:let|const|var)?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?::[^=]*)?=[^=]/gmu;
  const known = [...source.matchAll(declared)].map((match) => match[1] ?? "");
  for (const parameter of parameters) {
    const name = parameter.slice(0, parameter.indexOf("="));
    if (known.includes(name) || !NAME.test(name)) continue;
    const near = nearest(name, known);
    throw new UsageError(`The notebook has no parameter ${JSON.stringify(name)}.`, {
      remedy: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}It has ${known.join(", ") || "none"}.`,
    });
  }
}

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function assignment(parameter: string): string {
  const equals = parameter.indexOf("=");
  const name = parameter.slice(0, equals);
  if (!NAME.test(name)) {
    throw new UsageError(`${JSON.stringify(name)} is not a name that a variable can have.`);
  }
  return `let ${name} = ${literal(parameter.slice(equals + 1))};`;
}

function literal(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}
