import { AnalysisError } from "../analysis-error";
import { isWhole } from "../coercion";
import { type Column, literal } from "../column";
import { constantOf, define, takes } from "../function-entry";
import { type ColumnOrName, call, named } from "./call";

/**
 * The MD5 sum of text or binary data, 32 hexadecimal digits.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.md5.html
 */
export function md5(column: ColumnOrName): Column<string, string> {
  return call("md5", named(column));
}
define("md5", takes(["binary"], "string"), (s) => `md5(${s})`);

/**
 * The SHA-1 sum of text or binary data, 40 hexadecimal digits.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sha1.html
 */
export function sha1(column: ColumnOrName): Column<string, string> {
  return call("sha1", named(column));
}
define("sha1", takes(["binary"], "string"), (s) => `sha1(${s})`);

/**
 * The SHA-2 sum of text or binary data in hexadecimal digits.
 * @param bits 224, 256, 384 or 512; 0 means 256. The embedded engine has 256 alone.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sha2.html
 */
export function sha2(column: ColumnOrName, bits: 0 | 224 | 256 | 384 | 512): Column<string, string> {
  return call("sha2", named(column), literal(bits));
}
define("sha2", takes(["binary", "integer"], "string", { nullable: true }), (s, size) => {
  const bits = Number(constantOf(size, "number of bits"));
  if (bits === 0 || bits === 256) return `sha256(${s})`;
  throw new AnalysisError(`[UNSUPPORTED_FEATURE] The embedded engine has no SHA-2 of ${bits} bits.`, {
    remedy: "Use 256 bits, or md5.",
  });
});

/**
 * Hexadecimal digits of binary data, of text's bytes, or of a whole number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.hex.html
 */
export function hex(column: ColumnOrName): Column<string, string> {
  return call("hex", named(column));
}
define("hex", takes([["long", "binary", "string"]], "string"), (x) => (isWhole(x.type) ? `to_hex(${x})` : `hex(${x})`));

/**
 * Binary data as base64 text.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.base64.html
 */
export function base64(column: ColumnOrName): Column<string, string> {
  return call("base64", named(column));
}
define("base64", takes(["binary"], "string"), (x) => `to_base64(${x})`);

/**
 * Base64 text as binary data.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.unbase64.html
 */
export function unbase64(column: ColumnOrName): Column<string, Uint8Array> {
  return call("unbase64", named(column));
}
define("unbase64", takes(["string"], "binary"), (x) => `from_base64(${x})`);
