/**
 * DuckDB's words for what goes wrong with a value, in Spark's: the name of the error first, by which programs know it.
 * @see https://spark.apache.org/docs/latest/sql-error-conditions.html
 */
export function sparkMessage(message: string): string {
  for (const [pattern, text] of MESSAGES) {
    const found = pattern.exec(message);
    if (found) return text.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? "");
  }
  return message;
}

const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [
    /Overflow in (?:addition|subtraction|multiplication|division) of (?:INT128|HUGEINT)/,
    "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] A result has more digits than 38.",
  ],
  [/(Overflow in (?:addition|subtraction|multiplication) of INT(?:8|16)\b.*)/s, "[BINARY_ARITHMETIC_OVERFLOW] $1"],
  [
    /Failed to cast decimal value (\S+) to type (\w+)/,
    '[CAST_OVERFLOW] The decimal $1 cannot be cast to "$2" due to an overflow.',
  ],
  [
    /Could not convert string "([^"]*)" to (DECIMAL\(\d+,\d+\))/,
    "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] $1 cannot be represented as $2.",
  ],
  [
    /Failure in decode/,
    "[INVALID_UTF8_STRING] Bytes that are no UTF-8 cannot become text in the embedded engine; keep them binary, or see base64 and hex.",
  ],
  // What the macros and the table of functions raise themselves.
  [/^Invalid Input Error: (\[[A-Z_.0-9]+\] .*)$/s, "$1"],
  [
    /Overflow in (?:addition|subtract(?:ion)?|multiplication) of DECIMAL.*?\((.*)\)/i,
    "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] $1 does not fit the decimal's digits.",
  ],
  [
    /^(?:Conversion|Out of Range) Error: Type INT128 with value (\S+) can't be cast/,
    "[ARITHMETIC_OVERFLOW] $1 is no long.",
  ],
  [
    /Type (\w+) with value (\S+) can't be cast because the value is out of range for the destination type (\w+)/,
    '[CAST_OVERFLOW] The value $2 of the type "$1" cannot be cast to "$3" due to an overflow.',
  ],
  [
    /(?:Could not cast value|Casting value) "?([^" ]+)"? to (?:type )?(DECIMAL\(\d+,\d+\))/,
    "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] $1 cannot be represented as $2.",
  ],
  [
    /Needed scale \d+ to accurately represent the multiplication result/,
    "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] A product of these decimals has more digits than 38; cast them to fewer, or to double.",
  ],
  [/^Out of Range Error: (Overflow.*)$/s, "[ARITHMETIC_OVERFLOW] $1"],
  [/Map keys must be unique/, "[DUPLICATED_MAP_KEY] A key comes twice in a map."],
  [/Map keys can not be NULL/, "[NULL_MAP_KEY] A key of a map is null."],
];
