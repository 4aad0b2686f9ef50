import { AnalysisError } from "../../frame/analysis-error";
import { COMMENT_OR_STRING } from "../../frame/sql-tokens";

/** A name as a quoted SQL identifier. @throws AnalysisError for the empty name, which DuckDB has not */
export function quotedIdentifier(name: string): string {
  if (name === "") {
    throw new AnalysisError(
      "[UNSUPPORTED_FEATURE] A column or field has the empty name, which cannot be computed with.",
      {
        remedy: "Give it a name where it is made; of files, name the other columns: read.schema(...).",
      },
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as a SQL string literal. DuckDB knows no escapes inside it but the doubled quote. */
export function quotedText(text: string): string {
  // A NUL would end the query text; chr(0) puts it back.
  return text
    .split("\0")
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(" || chr(0) || ");
}

/**
 * Spark SQL's quoting in DuckDB's: backquoted identifiers become double-quoted, double-quoted strings single-quoted with
 * their backslash escapes resolved, `<=>` and `==` become what DuckDB has. All else is DuckDB's dialect as it stands.
 * @see https://spark.apache.org/docs/latest/sql-ref-literals.html
 */
export function duckdbText(sparkSql: string): string {
  return sparkSql.replace(TOKENS, (token) => {
    if (token.startsWith("--") || token.startsWith("/*")) return " ";
    if (token.startsWith("`")) return quotedIdentifier(token.slice(1, -1).replaceAll("``", "`"));
    if (token.startsWith("'") || token.startsWith('"')) return quotedText(stringValue(token));
    return token === "<=>" ? " IS NOT DISTINCT FROM " : "=";
  });
}

const TOKENS = new RegExp(`${COMMENT_OR_STRING}|\`(?:[^\`]|\`\`)*\`|<=>|==`, "g");

function stringValue(token: string): string {
  const quote = token.charAt(0);
  return token
    .slice(1, -1)
    .replace(/\\([\s\S])|''|""/g, (pair, escaped: string | undefined) =>
      escaped === undefined ? (pair === quote + quote ? quote : pair) : (ESCAPES[escaped] ?? escaped),
    );
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  0: "\0",
  Z: "\x1a",
  // These two stay escaped for LIKE.
  "%": "\\%",
  _: "\\_",
};
