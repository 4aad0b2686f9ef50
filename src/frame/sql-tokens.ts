/**
 * Comments and strings of Spark's SQL, as a pattern's source: what looks for names in a query passes over them.
 * @see https://spark.apache.org/docs/latest/sql-ref-literals.html
 */
export const COMMENT_OR_STRING = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/.source;
