/* A traceback repeats lines of code, and so does a log of CI: what is written there as a secret's value is not repeated. */

/** `"fs.s3a.secret.key", "…"`, `"secret.key": "…"`, `secretKey: "…"`, `secretKey: string = "…"`, `env["AWS_SECRET"] = "…"`. */
const LITERAL =
  /((?:secret|password|token|access[._]?key|encryption[._]key)[\w.]*(?:["'`]\s*[,:]|["'`]\]\s*=|\s*(?::\s*string\s*)?[:=])\s*)(["'`])(?:(?!\2)[^\\\n]|\\.)*\2?/gi;

/** Code with `***` in place of each literal that is a secret's value, by its name; lines stay lines. */
export function withoutSecretLiterals(code: string): string {
  return code.replace(LITERAL, "$1$2***$2");
}
