import { readFileSync } from "node:fs";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * The names that every notebook has: a declaration file with `declare global { ... }`. It is part of the program only from the
 * first cell on that mentions one of them, because the types behind them take time to read.
 */
export interface Prelude {
  /** The declarations before those of earlier cells; empty as long as nothing mentioned a name. */
  declarations(): string;
  /** Takes note of a cell's text. @param declared gives the names that the notebook declares itself */
  mentionedIn(source: string, declared: () => ReadonlySet<string>): void;
  /** From now on it is part of the program. */
  include(): void;
}

/** @param path of the declaration file */
export function openPrelude(compiler: Compiler, path: string): Prelude {
  const specifier = JSON.stringify(path.replace(/\.d\.ts$/, ""));
  const names = preludeNames(compiler, path).map((name) => name.replaceAll("$", "\\$"));
  // Boundaries by hand, since `\b` takes no heed of `$`.
  const mention = new RegExp(`(?<![\\w$])(?:${names.join("|")})(?![\\w$])`, "g");
  let isIncluded = false;
  return {
    declarations: () => (isIncluded ? `import ${specifier};\n` : ""),
    mentionedIn(source, declared) {
      if (isIncluded || names.length === 0) return;
      const mentioned = new Set(source.match(mention));
      if (mentioned.size === 0) return;
      const own = declared();
      isIncluded = [...mentioned].some((name) => !own.has(name));
    },
    include() {
      isIncluded = true;
    },
  };
}

/** The names that every notebook has. @param path of the declaration file */
export function preludeNames(compiler: Compiler, path: string): string[] {
  const text = readFileSync(path, "utf8");
  const file = compiler.createSourceFile("prelude.d.ts", text, compiler.ScriptTarget.Latest);
  const declared = file.statements.flatMap((statement) =>
    compiler.isModuleDeclaration(statement) && statement.body && compiler.isModuleBlock(statement.body)
      ? [...statement.body.statements]
      : [],
  );
  return declared.flatMap((statement) => namesOf(compiler, statement));
}

function namesOf(compiler: Compiler, statement: ts.Statement): string[] {
  if (compiler.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      compiler.isIdentifier(name) ? [name.text] : [],
    );
  }
  const { name } = statement as { name?: ts.Node };
  return name && compiler.isIdentifier(name) ? [name.text] : [];
}
