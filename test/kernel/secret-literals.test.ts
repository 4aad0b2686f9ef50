import { expect, it } from "vitest";
import { withoutSecretLiterals } from "../../src/kernel";

it("replaces what a secret's name is given as a text, and nothing else", () => {
  for (const [code, shown] of [
    ['.config("spark.hadoop.fs.s3a.secret.key", "hush")', '.config("spark.hadoop.fs.s3a.secret.key", "***")'],
    [".config('fs.s3a.access.key',\n  `hu\\`sh`)", ".config('fs.s3a.access.key',\n  `***`)"],
    ['{ "fs.s3a.session.token": "hush", "n": "1" }', '{ "fs.s3a.session.token": "***", "n": "1" }'],
    ["const secretKey: string = 'hush', name = 'fruits';", "const secretKey: string = '***', name = 'fruits';"],
    ["{ secretAccessKey: 'hush' }", "{ secretAccessKey: '***' }"],
    ['process.env.AWS_SECRET_ACCESS_KEY = "hush";', 'process.env.AWS_SECRET_ACCESS_KEY = "***";'],
    ['process.env["AWS_ACCESS_KEY_ID"] = "hush', 'process.env["AWS_ACCESS_KEY_ID"] = "***"'],
    ...[
      'text.split(token, ",")',
      'if (token === "end") stop();',
      'const key = "k"; col("tokens").alias("t")',
      "token",
    ].map((code) => [code, code] as const),
  ] as const)
    expect(withoutSecretLiterals(code)).toBe(shown);
});
