import { AnalysisError } from "./analysis-error";

/** True for two spellings of one name: Spark's default is that case does not matter. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The positions of the columns that a whole name fits; none is no error. */
export function matching(name: string, available: readonly string[]): number[] {
  return available.flatMap((column, index) => (sameName(column, name) ? [index] : []));
}

/**
 * The parts of a name in an expression: `a.b` is `["a", "b"]`; backquotes keep dots inside a part and are taken off.
 * @see https://github.com/apache/spark/blob/master/sql/api/src/main/scala/org/apache/spark/sql/catalyst/util/AttributeNameParser.scala
 * @throws AnalysisError for a part that is empty or half quoted
 */
export function nameParts(name: string): string[] {
  if (name === "") return [name];
  const parts = [...name.matchAll(/(?:`((?:[^`]|``)*)`|([^`.]+))(\.(?=.)|$)/gsy)];
  if (parts.reduce((length, [text]) => length + text.length, 0) !== name.length || parts.length === 0) {
    throw new AnalysisError(
      `[INVALID_ATTRIBUTE_NAME_SYNTAX] Syntax error in the attribute name: ${name}. Check that backticks appear in pairs, a quoted string is a complete name part and use a backtick only inside quoted name parts.`,
      { remedy: `Quote a name with dots or backquotes whole: ${quotedName(name)}.` },
    );
  }
  return parts.map(([, quoted, plain]) => plain ?? (quoted ?? "").replaceAll("``", "`"));
}

/** A name as one part of an expression's name, whatever is in it. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** The name for {@link nameParts}, quoted where it has to be. */
export function columnNameText(name: string): string {
  return /^[^`.]+$/.test(name) ? name : quotedName(name);
}
