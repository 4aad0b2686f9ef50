import { nearest, PomonaError } from "../errors";
import { UsageError } from "./command";
import { type ParameterDeclaration, readDeclarations } from "./parameter-declarations";
import { assignment, type ParameterValue, valueOfText } from "./parameter-values";

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
 * @throws UsageError, NoParametersCellError
 * @see https://papermill.readthedocs.io/en/latest/usage-parameterize.html
 */
export function withParameters(notebook: Notebook, { typed, raw }: GivenParameters): Notebook {
  const given = [...typed.map((text) => split(text, valueOfText)), ...raw.map((text) => split(text, (value) => value))];
  if (given.length === 0) return notebook;
  const hasTag = (cell: Cell, tag: string) => cell.metadata.tags?.includes(tag) === true;
  const cells = notebook.cells.filter((cell) => !hasTag(cell, "injected-parameters"));
  const at = cells.findIndex((cell) => hasTag(cell, "parameters"));
  if (at < 0) {
    throw new NoParametersCellError("The notebook has no cell tagged `parameters`.", {
      remedy: "Tag the cell that holds the defaults: in JupyterLab, Property Inspector > Cell Tags.",
    });
  }
  const declared = readDeclarations([cells[at]!.source].flat().join(""));
  const lines = given.map(([name, value]) => {
    const declaration = declared.find((d) => d.name === name);
    const line = assignment(name, value, declaration);
    // A name the cell does not set is a slip: the notebook would run on with its default.
    if (!declaration) throw unknownParameter(name, declared);
    return line;
  });
  const injected: Cell = {
    cell_type: "code",
    id: "injected-parameters",
    metadata: { tags: ["injected-parameters"] },
    execution_count: null,
    outputs: [],
    source: ["// Parameters", ...lines].join("\n"),
  };
  return { ...notebook, cells: [...cells.slice(0, at + 1), injected, ...cells.slice(at + 1)] };
}

function split(parameter: string, read: (text: string) => ParameterValue): [string, ParameterValue] {
  const equals = parameter.indexOf("=");
  return [parameter.slice(0, equals), read(parameter.slice(equals + 1))];
}

function unknownParameter(name: string, declared: readonly ParameterDeclaration[]): UsageError {
  const known = declared.map((declaration) => declaration.name);
  const near = nearest(name, known);
  return new UsageError(`The notebook has no parameter ${JSON.stringify(name)}.`, {
    remedy: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}It has ${known.join(", ") || "none"}.`,
  });
}
