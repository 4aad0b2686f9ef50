import { nearest } from "pomona/kernel";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * TypeScript's message, with the line that helps where the mistake is one that people make who come from Python.
 * @param file in which the mistake is
 * @param earlier names that earlier cells declare
 */
export function withHint(
  compiler: Compiler,
  message: string,
  { code, start, file }: ts.DiagnosticWithLocation,
  earlier: ReadonlySet<string>,
): string {
  const name = /'([^']+)'/.exec(message)?.[1] ?? "";
  switch (code) {
    case CANNOT_FIND_NAME: {
      const python = Object.hasOwn(PYTHON, name) ? PYTHON[name] : undefined;
      if (python !== undefined) return `${message} ${python}`;
      if (isKeyword(compiler, file, start)) {
        return `${message} What Python gives by keyword is given in an object: { ${name}: … }`;
      }
      const rest = file.text.slice(start + name.length);
      return /^\s*=[^=>]/.test(rest) ? `${message} Declare it with its first value: let ${name} = …` : message;
    }
    case USED_BEFORE_DECLARED:
      return earlier.has(name)
        ? `${message} A variable of an earlier cell gets another value without let or const: ${name} = …`
        : message;
    case REDECLARED:
      return `${message} In one cell, give it its next value without let or const, ${name} = …, or use another name.`;
    case CONSTANT:
      return `${message} Declare it with let, or give the result a name of its own.`;
    case NO_PROPERTY:
    case NO_PROPERTY_BUT_NEAR:
      return accessor(message) ?? message;
    case NO_ARGUMENT: {
      const [, type] = /^new\s+(?:\w+\.)?(\w+)/.exec(file.text.slice(start)) ?? [];
      const example = PARAMETERS.get(type ?? "");
      return example === undefined ? message : `${message} Parameters are given in one object: ${example}`;
    }
    case NOT_ASSIGNABLE:
      return /^Type 'DataFrame<.*' is not assignable to type 'DataFrame</.test(message)
        ? `${message.split("\n")[0]}\nA variable for DataFrames of any columns is declared as one: let df: DataFrame = …`
        : message;
    case NO_OVERLOAD:
    case NOT_AN_ARGUMENT:
      return isColumnArgument(compiler, file, start) ? (unknownColumn(message) ?? message) : message;
    default:
      return message;
  }
}

const CANNOT_FIND_NAME = 2304;
const NOT_ASSIGNABLE = 2322;
const NO_PROPERTY = 2339;
const NOT_AN_ARGUMENT = 2345;
const USED_BEFORE_DECLARED = 2448;
const REDECLARED = 2451;
const NO_PROPERTY_BUT_NEAR = 2551;
const NO_ARGUMENT = 2554;
const CONSTANT = 2588;
const NO_OVERLOAD = 2769;

/** Names of Python that TypeScript writes otherwise. */
const PYTHON: Readonly<Record<string, string>> = {
  True: "TypeScript writes true.",
  False: "TypeScript writes false.",
  None: "TypeScript writes null.",
  print: "TypeScript writes console.log(…).",
  len: "TypeScript writes xs.length.",
  str: "TypeScript writes String(x).",
  range: "For numbers as rows use session.range(n); for a loop, for (let i = 0; i < n; i++).",
};

/** How PySpark's estimators and transformers are made here. */
const PARAMETERS: ReadonlyMap<string, string> = new Map([
  ["PCA", "new PCA({ k: …, inputCol: …, outputCol: … })"],
  ["StandardScaler", "new StandardScaler({ inputCol: …, outputCol: … })"],
  ["KMeans", "new KMeans({ k: …, featuresCol: … })"],
  ["StringIndexer", "new StringIndexer({ inputCol: …, outputCol: … })"],
  ["IndexToString", "new IndexToString({ inputCol: …, outputCol: … })"],
  ["VectorAssembler", "new VectorAssembler({ inputCols: […], outputCol: … })"],
  ["Pipeline", "new Pipeline({ stages: […] })"],
]);

/** For PySpark's setters and getters of parameters: how a parameter is given and read here. */
function accessor(message: string): string | undefined {
  const found = /^Property '(?<way>set|get)(?<name>[A-Z]\w*)' does not exist on type '(?<type>\w+?)(?:Model)?[<']/.exec(
    message,
  );
  const { way, name = "", type = "" } = found?.groups ?? {};
  const example = PARAMETERS.get(type);
  if (example === undefined) return undefined;
  const [fact] = message.split(/(?<=\.) Did you mean/);
  return way === "set"
    ? `${fact} Parameters are given in one object: ${example}`
    : `${fact} Read the property ${name[0]?.toLowerCase()}${name.slice(1)}.`;
}

/** Whether a name stands as in Python's `f(name=value)`. */
function isKeyword(compiler: Compiler, file: ts.SourceFile, start: number): boolean {
  const assignment = compiler.findPrecedingToken(start + 1, file)?.parent;
  if (!assignment || !compiler.isBinaryExpression(assignment) || assignment.left.getStart(file) !== start) return false;
  if (assignment.operatorToken.kind !== compiler.SyntaxKind.EqualsToken) return false;
  const call = assignment.parent;
  return compiler.isCallOrNewExpression(call) && (call.arguments?.includes(assignment) ?? false);
}

/** Whether text stands there as an argument: only then does the message list columns. */
function isColumnArgument(compiler: Compiler, file: ts.SourceFile, start: number): boolean {
  const token = compiler.findPrecedingToken(start + 1, file);
  return token !== undefined && compiler.isStringLiteralLike(token);
}

/** For a name that is none of a DataFrame's columns: the columns, instead of all overloads and their types. */
function unknownColumn(message: string): string | undefined {
  const found = /Argument of type '"(?<name>[^"]+)"' is not assignable to parameter of type '(?<list>[^']+)'/.exec(
    message,
  );
  const { name = "", list = "" } = found?.groups ?? {};
  if (!/`[^`]+\.\$\{string\}`/.test(list)) return undefined;
  // The compiler lists them in an order of its own.
  const columns = [...list.matchAll(/"([^"]+)"/g)]
    .flatMap(([, column = ""]) => (column === "*" ? [] : [column]))
    .sort();
  const [near] = nearest(name, columns);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `There is no column "${name}".${meant} The columns are ${columns.map((column) => `"${column}"`).join(", ")}.`;
}
