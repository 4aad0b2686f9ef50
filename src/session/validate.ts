import { IllegalArgumentError, throwIfAborted } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col } from "../frame/functions";
import { listed } from "../storage";
import { assertWhole } from "../storage/commit";
import { mapConcurrently } from "../storage/concurrently";
import { PathNotFoundError } from "../storage/errors";
import { baseName, isHidden } from "../storage/location";
import type { Session } from "./session";
import { type LabelCounts, labelTally, pathTally } from "./tallies";
import type { ValidationReport } from "./validation-report";
import { scanVectors, vectorColumn } from "./vector-scan";

export interface ValidateOptions {
  /** How many rows there must be. */
  readonly rows?: number;
  /** How many values each vector must have. @default as many as the first one has */
  readonly dimension?: number;
  /** The column of vectors. @default the only `array<float>` or `array<double>` column; of several, `pca`, else `features` */
  readonly column?: string;
  readonly signal?: AbortSignal;
}

/**
 * Opens Parquet files again and checks what a reader will rely on: that every part can be read and the job that wrote them
 * ended, the number of rows, that each vector is there with its dimension and finite values, that no path comes twice, and
 * that each row has a label. `formatReport` makes text of the result.
 * @param path a folder of parts, or one file
 * @throws PathNotFoundError if nothing is there, or no Parquet file in the folder
 * @throws IncompleteWriteError if a commit into the folder was interrupted, so that what is there is a mixture
 * @throws CorruptParquetError for a file that is cut short or damaged; the message names it
 * @throws AnalysisError if there is no column of vectors
 */
export async function validate(
  session: Session,
  path: string,
  options: ValidateOptions = {},
): Promise<ValidationReport> {
  const { rows, dimension, signal } = options;
  checkExpectation("rows", rows);
  checkExpectation("dimension", dimension);
  throwIfAborted(signal);

  const parts = await readParts(session, path, signal);
  const data = session.read.parquet(path);
  const schema = await data.schema({ signal });
  const { column, type } = vectorColumn(schema, options.column);
  const names = new Set(schema.fields.map((field) => field.name));
  const isText = (name: string) => schema.fields.some((field) => field.name === name && field.type === "string");
  const seenPaths = names.has("path") ? pathTally() : undefined;
  const seenLabels = isText("label") ? labelTally() : undefined;
  const beside = { ...(seenPaths ? { path: seenPaths.add } : {}), ...(seenLabels ? { label: seenLabels.add } : {}) };
  const vectors = await scanVectors(data, column, { dimension, beside, signal });
  const paths = seenPaths && {
    nulls: seenPaths.nulls(),
    duplicates: seenPaths.mayRepeat() ? await countDuplicates(data, signal) : 0,
  };
  const labels = seenLabels?.counts() ?? (names.has("label") ? await countLabels(data, signal) : undefined);

  const { leftovers, ...found } = parts;
  const expected = { ...(rows === undefined ? {} : { rows }), ...(dimension === undefined ? {} : { dimension }) };
  const facts = { ...found, path, expected, column, type, rows: vectors.rows, vectors, paths, labels };
  const problems = problemsOf(facts, leftovers);
  return { ok: problems.length === 0, problems, ...facts };
}

function checkExpectation(name: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new IllegalArgumentError(`${name} must be a whole number from 0, not ${value}.`);
  }
}

/** How many footers are read at once. */
const FOOTERS_AT_ONCE = 32;

/** Lists the parts and reads every footer, so that a damaged part is named before any work starts. */
async function readParts(session: Session, path: string, signal?: AbortSignal) {
  const place = session.runtime.storages.at(path);
  const { storage, url: root } = place;
  await assertWhole(place);
  const isFile = ((await storage.stat(root)) ?? "folder") !== "folder";
  const all = await listed(storage, root, { hidden: true, signal });
  const isVisible = (url: string) => !url.slice(root.length).split("/").some(isHidden);
  const data = all.filter(({ url }) => isFile || (url.endsWith(".parquet") && isVisible(url)));
  if (data.length === 0) {
    throw new PathNotFoundError(`There is no Parquet file in ${path}.`, root, {
      remedy: "Check the path, and that the job that was to write it has ended.",
    });
  }
  const metadata: Record<string, string> = {};
  const footers = await mapConcurrently(data, FOOTERS_AT_ONCE, (file) => {
    throwIfAborted(signal);
    return session.runtime.footer(file);
  });
  for (const [key, value] of footers.flatMap((footer) => [...footer.metadata])) {
    if (key.startsWith("pomona.")) metadata[key] = value;
  }
  return {
    files: data.length,
    bytes: data.reduce((sum, { size }) => sum + size, 0),
    success: isFile ? undefined : all.some(({ url }) => url.slice(root.length + 1) === "_SUCCESS"),
    leftovers: all
      .filter(({ url }) => !isFile && url.slice(root.length).startsWith("/_temporary/"))
      .map(({ url }) => baseName(url)),
    metadata,
  };
}

/** How many paths come more than once. */
function countDuplicates(data: DataFrame, signal?: AbortSignal): Promise<number> {
  return data.filter(col("path").isNotNull()).groupBy("path").count().filter(col("count").gt(1)).count({ signal });
}

/** For labels that are no text. */
async function countLabels(data: DataFrame, signal?: AbortSignal): Promise<LabelCounts> {
  const counts = await data.groupBy("label").count().orderBy("label").collect({ signal });
  const classes: { label: string; rows: number }[] = [];
  let [nulls, empty] = [0, 0];
  for (const { label, count: n } of counts) {
    if (label === null) nulls += n;
    else if (String(label).trim() === "") empty += n;
    else classes.push({ label: String(label), rows: n });
  }
  return { classes, nulls, empty };
}

type Facts = Omit<ValidationReport, "ok" | "problems">;

function problemsOf(facts: Facts, leftovers: readonly string[]): string[] {
  const { vectors, paths, labels, column, expected } = facts;
  const problems: string[] = [];
  const add = (n: number, text: string) => {
    if (n > 0) problems.push(text);
  };
  if (facts.success === false) problems.push("_SUCCESS is missing: the job that wrote the files may not have ended.");
  add(leftovers.length, `_temporary holds ${leftovers.length} files of a job that did not end.`);
  if (facts.rows === 0) problems.push("There are no rows.");
  if (expected.rows !== undefined && facts.rows !== expected.rows) {
    problems.push(`There are ${facts.rows} rows where ${expected.rows} are expected.`);
  }
  const { nulls, wrongDimension, notFinite, dimension } = vectors;
  add(nulls.rows, `${column} is null in ${rowsText(nulls)}.`);
  add(
    wrongDimension.rows,
    `${column} has not ${expected.dimension ?? dimension} values in ${rowsText(wrongDimension)}.`,
  );
  add(notFinite.rows, `${column} holds NaN, infinity or null values in ${rowsText(notFinite)}.`);
  if (paths) {
    add(paths.nulls, `path is null in ${rowsText({ rows: paths.nulls })}.`);
    add(paths.duplicates, `${paths.duplicates} paths come more than once.`);
  }
  if (labels) {
    add(labels.nulls, `label is null in ${rowsText({ rows: labels.nulls })}.`);
    add(labels.empty, `label is empty in ${rowsText({ rows: labels.empty })}.`);
  }
  return problems;
}

function rowsText({ rows, examples = [] }: { rows: number; examples?: readonly string[] }): string {
  const named = examples.length > 0 ? `, such as ${examples.join(", ")}` : "";
  return `${rows} ${rows === 1 ? "row" : "rows"}${named}`;
}
