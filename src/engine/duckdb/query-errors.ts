import { AnalysisError, UnresolvedColumnError } from "../../frame/analysis-error";

/** DuckDB's word on a query that can't be run. Its place, `LINE 1: … ^`, and its lists of candidates are for those who know the SQL that was made. */
const ANALYSIS = /^(?:Binder|Parser|Catalog) Error: /;

/** DuckDB's error as one of this package's, in Spark's words; undefined where it is none of a query as written. */
export function queryError(error: Error): AnalysisError | undefined {
  if (!ANALYSIS.test(error.message)) return undefined;
  const [told = "", place] = error.message.replace(ANALYSIS, "").split("\n\nLINE ");
  const what = told.replace(/\s*(?:Did you mean|Candidate \w+|\t?Candidate functions)[\s\S]*$/, "");
  const cause = new Error(place === undefined ? what : `${what}\n\nLINE ${place}`);
  for (const [pattern, make] of FORMS) {
    const found = pattern.exec(told);
    if (found)
      return make(
        found.slice(1).map((part) => part ?? ""),
        cause,
      );
  }
  return new AnalysisError(`${sparkTypes(what).replace(/[.!]*$/, "")}.`, { cause });
}

type Form = readonly [pattern: RegExp, make: (parts: readonly string[], cause: Error) => AnalysisError];

const DIALECT =
  "SQL text is DuckDB's dialect; functions over columns, such as F.upper(col), have Spark's names and meaning.";

const FORMS: readonly Form[] = [
  [
    /^Referenced column "(.+?)" (?:not found|was not found)[\s\S]*?(?:Candidate bindings: (.*))?$/,
    ([column = "", candidates = ""], cause) => unresolved(column, names(candidates), cause),
  ],
  [
    /^(?:Table|Values list) "(.+?)" does not have a column named "(.+?)"[\s\S]*?(?:Candidate bindings: :? ?(.*))?$/,
    ([table = "", column = "", candidates = ""], cause) =>
      unresolved(isOwnName(table) ? column : `${table}.${column}`, names(candidates), cause),
  ],
  [
    /^Could not find key "(.+?)" in struct[\s\S]*?(?:Candidate Entries: (.*))?$/,
    ([field = "", candidates = ""], cause) => {
      const fields = names(candidates);
      const remedy = fields.length > 0 ? `The fields are ${fields.map(quoted).join(", ")}.` : undefined;
      return new AnalysisError(`[FIELD_NOT_FOUND] No such struct field ${quoted(field)}.`, { remedy, cause });
    },
  ],
  [
    /^(?:Table with name "?(.+?)"? does not exist|Referenced table "(.+?)" not found)/,
    ([missing, referenced], cause) => {
      const table = missing || referenced || "";
      return new AnalysisError(`[TABLE_OR_VIEW_NOT_FOUND] There is no table or view ${quoted(table)}.`, {
        remedy: `Name a DataFrame before: df.createOrReplaceTempView(${JSON.stringify(table)}).`,
        cause,
      });
    },
  ],
  [
    /^(?:Scalar |Aggregate |Table |Macro )*Function with name "?(.+?)"? does not exist/,
    ([name = ""], cause) =>
      new AnalysisError(`[UNRESOLVED_ROUTINE] There is no function ${quoted(name)}.`, { remedy: DIALECT, cause }),
  ],
  [
    /^Type with name "?(.+?)"? does not exist/,
    ([name = ""], cause) => new AnalysisError(`There is no type ${quoted(name)}.`, { remedy: DIALECT, cause }),
  ],
  [
    /^No function matches the given name and argument types '([^(]+)\((.*)\)'/,
    ([name = "", types = ""], cause) =>
      new AnalysisError(`[DATATYPE_MISMATCH] ${name} does not take (${sparkTypes(types)}).`, {
        remedy: "Cast what has another type: CAST(x AS double).",
        cause,
      }),
  ],
  [
    /^Ambiguous reference to column name "(.+?)"(?: \(use: (.*)\))?/,
    ([column = "", uses = ""], cause) => {
      const ways = names(uses.replaceAll(" or ", ", ")).filter((way) => !isOwnName(way));
      return new AnalysisError(`[AMBIGUOUS_REFERENCE] The name ${quoted(column)} fits several columns.`, {
        remedy: ways.length > 0 ? `Say which: ${ways.map(quoted).join(" or ")}.` : "Rename one of them before.",
        cause,
      });
    },
  ],
  [
    /^column "(.+?)" must appear in the GROUP BY clause/,
    ([column = ""], cause) =>
      new AnalysisError(`The column ${quoted(column)} is neither grouped by nor inside an aggregate.`, {
        remedy: `Add it to GROUP BY, or take any of its values: any_value(${column}).`,
        cause,
      }),
  ],
  [
    /^unterminated quoted identifier/,
    (_, cause) =>
      new AnalysisError("A column's name has the character NUL, or a quoted name in the SQL text has no end.", {
        remedy: "Give the column another name.",
        cause,
      }),
  ],
  [
    /^syntax error at (?:or near "([\s\S]*)"|end of input)/,
    ([near = ""], cause) => {
      // The query stands in brackets of the engine's.
      const where = near === "" || near === ")" ? "at its end" : `at or near '${near}'`;
      return new AnalysisError(`[PARSE_SYNTAX_ERROR] The SQL text has a syntax error ${where}.`, {
        remedy: DIALECT,
        cause,
      });
    },
  ],
];

/** DuckDB names the nearest ones alone, so that nothing is said of all. */
function unresolved(column: string, candidates: readonly string[], cause: Error): UnresolvedColumnError {
  const known = candidates.filter((name) => !isOwnName(name));
  const none = known.length === 0 ? { remedy: "Name one that the text before it has." } : {};
  return new UnresolvedColumnError(column, known, { parts: column.split("."), cause, ...none });
}

/** `"a", "t.b"` are a and t.b. */
function names(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")+)"/g)].map(([, name = ""]) => name.replaceAll('""', '"'));
}

/** Names that compiled SQL gives to its parts. */
function isOwnName(name: string): boolean {
  return /^(?:_|t\d+$|s\d+$)/.test(name);
}

/** DuckDB's types in a message, in Spark's words. */
function sparkTypes(text: string): string {
  return text.replace(
    /\b(?:VARCHAR|STRING_LITERAL|INTEGER_LITERAL|INTEGER|HUGEINT|BLOB|TIMESTAMP WITH TIME ZONE)\b/g,
    (type) => TYPES[type] ?? type,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  VARCHAR: "STRING",
  STRING_LITERAL: "STRING",
  INTEGER_LITERAL: "INT",
  INTEGER: "INT",
  HUGEINT: "DECIMAL(38,0)",
  BLOB: "BINARY",
  "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
};

function quoted(name: string): string {
  return `\`${name}\``;
}
