import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const file = join(__dirname, "types.test.ts");

it("the types that types.test.ts claims are those the compiler finds", () => {
  const options: ts.CompilerOptions = {
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    esModuleInterop: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    ignoreDeprecations: "5.0",
    types: ["node"],
  };
  const program = ts.createProgram([file], options);
  const messages = ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map((d) => ts.flattenDiagnosticMessageText(d.messageText, " "));
  expect(messages).toEqual([]);
}, 600_000);
