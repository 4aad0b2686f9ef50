import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { nearest, PomonaError } from "../errors";
import { UsageError } from "./command";
import { JupyterMissingError } from "./jupyter-paths";

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
  const isCell = (cell: unknown) => typeof cell === "object" && cell !== null;
  if (typeof notebook !== "object" || notebook?.nbformat !== 4 || !notebook.cells?.every?.(isCell)) {
    throw new NotebookFormatError(`${path} is not a notebook of nbformat 4.`, {
      remedy: "Open and save it in JupyterLab, which converts older ones.",
    });
  }
  return notebook as Notebook;
}

/** Parameters as the command line has them, `name=value` each. */
export interface GivenParameters {
  /** As `papermill -p`: Python's numbers, `True`, `False` and `None` are taken as such, anything else as text. */
  readonly typed: readonly string[];
  /** As `papermill -r`: text. */
  readonly raw: readonly string[];
}

/**
 * Sets parameters as papermill does: a cell tagged `injected-parameters` behind the one tagged `parameters`, in place of
 * an earlier one. Declared types are kept, and text becomes what they ask for: `true` for a boolean, JSON for an array.
 * @param python the Jupyter's, which reads the cell and writes the values by the code that papermill uses
 * @throws UsageError, NoParametersCellError, JupyterMissingError
 * @see https://papermill.readthedocs.io/en/latest/usage-parameterize.html
 */
export function withParameters(notebook: Notebook, { typed, raw }: GivenParameters, python: string): Notebook {
  if (typed.length + raw.length === 0) return notebook;
  const hasTag = (cell: Cell, tag: string) => cell.metadata.tags?.includes(tag) === true;
  const cells = notebook.cells.filter((cell) => !hasTag(cell, "injected-parameters"));
  const at = cells.findIndex((cell) => hasTag(cell, "parameters"));
  if (at < 0) {
    throw new NoParametersCellError("The notebook has no cell tagged `parameters`.", {
      remedy: "Tag the cell that holds the defaults: in JupyterLab, Property Inspector > Cell Tags.",
    });
  }
  const question = { cell: [cells[at]!.source].flat().join(""), typed: typed.map(split), raw: raw.map(split) };
  const answer = ask(python, question);
  if ("error" in answer) throw new UsageError(answer.error, answer.remedy === null ? {} : { remedy: answer.remedy });
  // A name the cell does not set is a slip: the notebook would run on with its default.
  const unknown = [...question.typed, ...question.raw].find(([name]) => !answer.declared.includes(name));
  if (unknown) throw unknownParameter(unknown[0], answer.declared);
  const injected: Cell = {
    cell_type: "code",
    id: "injected-parameters",
    metadata: { tags: ["injected-parameters"] },
    execution_count: null,
    outputs: [],
    source: ["// Parameters", ...answer.lines].join("\n"),
  };
  return { ...notebook, cells: [...cells.slice(0, at + 1), injected, ...cells.slice(at + 1)] };
}

function split(parameter: string): [name: string, text: string] {
  const equals = parameter.indexOf("=");
  return [parameter.slice(0, equals), parameter.slice(equals + 1)];
}

type Answer =
  | { readonly declared: readonly string[]; readonly lines: readonly string[] }
  | { readonly error: string; readonly remedy: string | null };

/** The package's own Python, which the rules of parameters are written in, since papermill takes no other language. */
const PYTHON_SOURCES = join(__dirname, "..", "..", "kernel-ext", "python", "src");

function ask(python: string, question: object): Answer {
  // Not in the user's folder, whose modules would come before Python's; without compiled files left in ours.
  const { status, stdout, stderr, error } = spawnSync(resolve(python), ["-B", "-m", "pomona_jupyter"], {
    cwd: PYTHON_SOURCES,
    env: { ...process.env, PYTHONPATH: PYTHON_SOURCES },
    input: JSON.stringify(question),
    encoding: "utf8",
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (status === 0) return JSON.parse(stdout) as Answer;
  throw new JupyterMissingError(`${python} could not read the notebook's parameters:\n${stderr?.trim() || error}`, {
    remedy: "POMONA_VENV names a virtual environment with Python 3.10 or newer and jupyterlab.",
  });
}

function unknownParameter(name: string, known: readonly string[]): UsageError {
  const near = nearest(name, known);
  return new UsageError(`The notebook has no parameter ${JSON.stringify(name)}.`, {
    remedy: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}It has ${known.join(", ") || "none"}.`,
  });
}
