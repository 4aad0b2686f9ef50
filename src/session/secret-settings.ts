/** What stands for a secret's value wherever settings are shown. */
export const HIDDEN = "***";

/**
 * Names of secrets: Spark's `spark.redaction.regex`, and the keys that S3A encrypts with.
 * @see https://spark.apache.org/docs/latest/configuration.html#runtime-environment
 */
const SECRET = /secret|password|token|access[.]?key|encryption[.]key$/i;

/** Secrets inside of a value, as in `-Dfs.s3a.secret.key=…`. */
const INSIDE = /((?:secret|password|token|access[.]?key)[\w.]*=)[^\s,;&]+/gi;

/** The same in a value that is JSON, as in `[{"url": "http://host:8888", "token": "…"}]`. */
const INSIDE_JSON = /("[\w.]*(?:secret|password|token|access[.]?key)"\s*:\s*)"(?:[^"\\]|\\.)*"?/gi;

/** The password in a URL, as in `http://user:…@host`. */
const INSIDE_URL = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g;

/** Whether a setting's value is never shown. */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/** A setting's value as it is shown. */
export function shownValue(name: string, value: string): string {
  if (isSecret(name)) return HIDDEN;
  return value.replace(INSIDE, `$1${HIDDEN}`).replace(INSIDE_JSON, `$1"${HIDDEN}"`).replace(INSIDE_URL, `$1${HIDDEN}@`);
}
