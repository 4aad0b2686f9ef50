/** Lines of a text that a message has. */
const MOST_LINES = 12;

const TRACEBACK = "Traceback (most recent call last)";

/** Spark puts the SQLSTATE behind its sentence; it is a field of the error. */
const SQL_STATE = / +SQLSTATE: [0-9A-Z]{5}(?=[\s;.]|$)/g;

/** What Spark says of a plan that can't be computed, without the plan, which it puts behind. */
export function analysisText(text: string): string {
  return (
    text
      .replace(/;\n(?:'|[A-Z]|\+-)[\s\S]*$/, "")
      .replace(SQL_STATE, "")
      .replace(/; (line \d+),? (pos \d+)$/, " ($1, $2)")
      // Spark 3.5 leaves none.
      .replace(/\.\((line \d+, pos \d+)\)/, ". ($1)")
      .trim()
  );
}

/**
 * What helps of a failed job's text: of a Python worker's error its own words, else the first cause's; no frames of the JVM.
 * @param chain the error and its causes, the outermost first, where Spark has kept them
 */
export function failureText(text: string, chain: readonly { readonly message: string }[] = []): string {
  const texts = [text, ...chain.map(({ message }) => message)];
  const python = texts.find((each) => each.includes(TRACEBACK));
  if (python !== undefined) return `${beforeTraceback(text)}\n${pythonText(python)}`.trim();
  const shown = withoutFrames(text).slice(0, MOST_LINES).join("\n");
  const cause = withoutFrames(chain.at(-1)?.message ?? "")[0] ?? "";
  return (shown.includes(cause) ? shown : `${shown}\n${cause}`).replace(SQL_STATE, "");
}

/** "Job aborted due to stage failure: … most recent failure: Lost task 0.3 in stage 1.0 (TID 3) (host executor 1):" */
function beforeTraceback(text: string): string {
  const first = (withoutFrames(text)[0] ?? "").replace(/Traceback \(most recent call last\):.*/s, "");
  return first.replace("org.apache.spark.api.python.PythonException: ", "").trim();
}

/** The last error of a traceback, in Python's form: what is not indented behind its frames, and all below it. */
function pythonText(text: string): string {
  const traceback = text.slice(text.lastIndexOf(TRACEBACK));
  const end = /\n\n?(?:\tat |\s*Driver stacktrace:)/.exec(traceback)?.index;
  const lines = traceback.slice(0, end).trimEnd().split("\n");
  const error = lines.findIndex((line, i) => i > 0 && /^\S/.test(line));
  const shown = error < 0 ? lines : lines.slice(error);
  return shown.length > 3 * MOST_LINES
    ? [...shown.slice(0, MOST_LINES), "…", ...shown.slice(-2 * MOST_LINES)].join("\n")
    : shown.join("\n");
}

function withoutFrames(text: string): string[] {
  const isFrame = (line: string) => /^(?:\tat |\s*\.\.\. \d+ more|Driver stacktrace:)/.test(line);
  return text.split("\n").filter((line) => line.trim() !== "" && !isFrame(line));
}
