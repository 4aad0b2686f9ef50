import { types } from "node:util";
import type { DataFrame } from "../frame/dataframe";
import { JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { errorBundle } from "./errors";
import { plotlyBundle } from "./figures";
import { imageBundle, pipelineBundle } from "./images";
import { errorText, inspectionText } from "./inspection";
import { isMimeBundle, messageBundle } from "./mime-data";
import { schemaBundle } from "./schemas";
import { arrowBundle, danfoBundle, objectsBundle } from "./tables";

export interface RepresentOptions {
  /**
   * Rows that a DataFrame shows. @default what the settings `spark.sql.repl.eagerEval.*` say, which may also be none
   */
  readonly rows?: number;
  /** Shows the columns of a DataFrame and not its rows. @default false */
  readonly isBrief?: boolean;
}

/**
 * How a notebook shows a value, in several forms; `text/plain` is always among them. What is looked for, in this order: a mime
 * bundle as it is; the methods `[Symbol.for("Jupyter.display")]`, `_repr_mimebundle_`, `_repr_html_` and `toHTML`; errors, image
 * bytes and sharp pipelines, Plotly figures, schemas, tables of Arrow, of Danfo.js and of plain objects; else text alone. A
 * value that throws while it is looked at is shown as text that says so.
 * @throws what computing its rows throws, where the value is a DataFrame
 */
export async function represent(value: unknown, options: RepresentOptions = {}): Promise<MimeBundle> {
  if (!isDataFrame(value) || (!options.isBrief && options.rows === undefined)) return represented(value);
  // Late: it brings Arrow along, and a kernel loads this file before it is ready.
  const { rowsBundle, schemaLine } = await import("../frame/frame-bundle");
  return options.isBrief ? { "text/plain": schemaLine(await value.schema()) } : rowsBundle(value, options.rows ?? 0);
}

/** {@link represent}, at once where nothing has to be waited for. */
export function represented(value: unknown): MimeBundle | Promise<MimeBundle> {
  try {
    const rich = richForms(value);
    if (!types.isPromise(rich)) return withText(value, rich);
    return rich.then(
      (forms) => withText(value, forms),
      (error: unknown) => {
        if (isDataFrame(value)) throw error;
        return failed(value, error);
      },
    );
  } catch (error) {
    return failed(value, error);
  }
}

type Forms = Readonly<Record<string, unknown>> | undefined;

function richForms(value: unknown): Forms | Promise<Forms> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const own = ownForms(value);
  if (own !== undefined || typeof value === "function" || types.isProxy(value)) return own;
  if (isMimeBundle(value)) return value;
  return (
    errorBundle(value) ??
    imageBundle(value) ??
    pipelineBundle(value) ??
    plotlyBundle(value) ??
    schemaBundle(value) ??
    arrowBundle(value) ??
    danfoBundle(value) ??
    objectsBundle(value)
  );
}

/** What the value's own methods give. A class is not asked for what its instances have. */
function ownForms(value: object): Forms | Promise<Forms> {
  const display = methodOf(value, JUPYTER_DISPLAY);
  if (display) return checked(display(), '[Symbol.for("Jupyter.display")]', bundleFrom);
  if (typeof value === "function") return undefined;
  const bundle = methodOf(value, "_repr_mimebundle_");
  if (bundle) return checked(bundle(), "_repr_mimebundle_", bundleFrom);
  for (const name of ["_repr_html_", "toHTML"]) {
    const html = methodOf(value, name);
    if (html) return checked(html(), name, htmlFrom);
  }
  return undefined;
}

function methodOf(value: object, name: string | symbol): (() => unknown) | undefined {
  const method: unknown = (value as Record<string | symbol, unknown>)[name];
  return typeof method === "function" ? () => method.call(value) : undefined;
}

function checked(
  result: unknown,
  name: string,
  read: (result: unknown, name: string) => Forms,
): Forms | Promise<Forms> {
  return types.isPromise(result) ? result.then((forms) => read(forms, name)) : read(result, name);
}

function bundleFrom(result: unknown, name: string): Forms {
  // As in Python, where it may be the data and their metadata.
  const data: unknown = Array.isArray(result) ? result[0] : result;
  if (typeof data === "object" && data !== null && Object.keys(data).every((key) => key.includes("/"))) {
    return data as Readonly<Record<string, unknown>>;
  }
  throw new TypeError(`${name} gave no mime bundle`);
}

function htmlFrom(result: unknown, name: string): Forms {
  // Python's way to say that there is no such form.
  if (result === null || result === undefined) return undefined;
  if (typeof result === "string") return { "text/html": result };
  throw new TypeError(`${name} gave no text`);
}

function withText(value: unknown, forms: Forms): MimeBundle {
  const rich = forms && messageBundle(forms);
  return rich && "text/plain" in rich ? rich : { ...rich, "text/plain": plainText(value) };
}

function plainText(value: unknown): string {
  const text = inspectionText(value);
  return types.isPromise(value) && text.includes("<pending>")
    ? `${text}\nIts value is not there yet: put \`await\` before it.`
    : text;
}

function failed(value: unknown, error: unknown): MimeBundle {
  return { "text/plain": `${inspectionText(value)}\n(shown as text, since showing it failed: ${errorText(error)})` };
}

/** A DataFrame of this package; its rows are computed to be shown, and that may fail like any other action. */
function isDataFrame(value: unknown): value is DataFrame {
  return typeof value === "object" && value !== null && "plan" in value && "runtime" in value;
}
