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
      const source = SOURCES[name];
      if (source !== undefined) return `${message} It is imported: import { ${name} } from "${source}";`;
      const rest = file.text.slice(start + name.length);
      const { parent } = compiler.findPrecedingToken(start + 1, file) ?? {};
      const isValue = !parent || !compiler.isTypeReferenceNode(parent);
      return isValue && /^\s*=[^=>]/.test(rest)
        ? `${message} Declare it with its first value: let ${name} = …`
        : message;
    }
    case USED_BEFORE_DECLARED:
      return earlier.has(name)
        ? `${message} A variable of an earlier cell gets another value without let or const: ${name} = …`
        : message;
    case REDECLARED:
      return `${message} In one cell, give it its next value without let or const, ${name} = …, or use another name.`;
    case CONSTANT:
      return `${message} Declare it with let, or give the result a name of its own.`;
    case IMPORT_ASSIGNMENT: {
      const [, local, from] = /^import\s+([\w$]+)\s*=\s*require\((.*?)\)/.exec(file.text.slice(start)) ?? [];
      return local === undefined ? message : `A cell imports as ES modules do: import ${local} from ${from};`;
    }
    case NO_PROPERTY:
    case NO_PROPERTY_BUT_NEAR:
      return accessor(message) ?? columnProperty(message) ?? awaited(message) ?? message;
    case NO_OPERATOR:
    case NO_LEFT_NUMBER:
    case NO_RIGHT_NUMBER:
    case NO_COMPARISON:
    case NO_BITS:
      return awaited(message) ?? columnOperator(compiler, file, start, message) ?? message;
    case NOT_ITERABLE:
      return awaited(message) ?? message;
    case NO_ARGUMENT: {
      const [, type] = /^new\s+(?:\w+\.)?(\w+)/.exec(file.text.slice(start)) ?? [];
      const example = PARAMETERS.get(type ?? "");
      return example === undefined ? message : `${message} Parameters are given in one object: ${example}`;
    }
    case NOT_ASSIGNABLE:
      return /^Type 'DataFrame<.*' is not assignable to type 'DataFrame</.test(message)
        ? `${message.split("\n")[0]}\nA variable for DataFrames of any columns is declared as one: let df: DataFrame = …`
        : (awaited(message) ?? message);
    case NO_OVERLOAD:
    case NOT_AN_ARGUMENT: {
      if (isColumnArgument(compiler, file, start))
        return unknownColumn(message, isColumnMethod(compiler, file, start)) ?? message;
      if (TAKES_COLUMN.test(message)) return columnOperator(compiler, file, start, message) ?? message;
      return awaited(message) ?? message;
    }
    default:
      return message;
  }
}

/** An operator's value where a column is wanted. */
const TAKES_COLUMN = /Argument of type '(?:boolean|number|any)' is not assignable to parameter of type '[^']*\bColumn</;

const IMPORT_ASSIGNMENT = 1202;
const CANNOT_FIND_NAME = 2304;
const NO_OPERATOR = 2365;
const NO_LEFT_NUMBER = 2362;
const NO_RIGHT_NUMBER = 2363;
const NO_COMPARISON = 2367;
const NO_BITS = 2447;
const NOT_ITERABLE = 2488;
const NOT_ASSIGNABLE = 2322;
const NO_PROPERTY = 2339;
const NOT_AN_ARGUMENT = 2345;
const USED_BEFORE_DECLARED = 2448;
const REDECLARED = 2451;
const NO_PROPERTY_BUT_NEAR = 2551;
const NO_ARGUMENT = 2554;
const CONSTANT = 2588;
const NO_OVERLOAD = 2769;

/** Names of Python, and of browsers, that a notebook writes otherwise. */
const PYTHON: Readonly<Record<string, string>> = {
  True: "TypeScript writes true.",
  False: "TypeScript writes false.",
  None: "TypeScript writes null.",
  print: "TypeScript writes console.log(…).",
  len: "TypeScript writes xs.length.",
  str: "TypeScript writes String(x).",
  int: "TypeScript writes Math.trunc(Number(x)).",
  float: "TypeScript writes Number(x).",
  dict: "TypeScript writes { name: value }.",
  list: "TypeScript writes […] or Array.from(x).",
  type: "TypeScript writes typeof x.",
  input: 'Ask by prompt("…").',
  alert: "A notebook has none: console.log(…) shows a text.",
  confirm: 'A notebook has none: prompt("Sure? (y/n)") === "y" asks.',
  isinstance: 'TypeScript writes x instanceof Type, or typeof x === "number".',
  enumerate: "TypeScript writes xs.entries().",
  sorted: "TypeScript writes xs.toSorted().",
  self: "TypeScript writes this.",
  np: "NumPy is Python's; a DataFrame, Math and arrays have most of it.",
  pd: "pandas is Python's; session.createDataFrame(rows) makes a DataFrame, df.toPandas() one of Danfo.js.",
  plt: "Matplotlib is Python's; a cell that ends with { data: […], layout: {} } shows a Plotly figure.",
  range: "For numbers as rows use session.range(n); for a loop, for (let i = 0; i < n; i++).",
};

/** Names of the package that people write without their import. */
const SOURCES: Readonly<Record<string, string | undefined>> = Object.assign(Object.create(null), {
  Vectors: "pomona/ml",
  DenseVector: "pomona/ml",
  SparseVector: "pomona/ml",
  arrayToVector: "pomona/ml",
  vectorToArray: "pomona/ml",
  IndexToString: "pomona/ml",
  PCAModel: "pomona/ml",
  PipelineModel: "pomona/ml",
  StandardScalerModel: "pomona/ml",
  KMeansModel: "pomona/ml",
  StringIndexerModel: "pomona/ml",
});

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

/** Whether it is an argument of a method whose texts are columns alone. */
function isColumnMethod(compiler: Compiler, file: ts.SourceFile, start: number): boolean {
  const call = compiler.findPrecedingToken(start + 1, file)?.parent;
  const { expression } = call && compiler.isCallExpression(call) ? call : {};
  return (
    expression !== undefined &&
    compiler.isPropertyAccessExpression(expression) &&
    NAME_METHODS.has(expression.name.text)
  );
}

const NAME_METHODS: ReadonlySet<string> = new Set([
  "withColumnRenamed",
  "dropDuplicates",
  "col",
  "colRegex",
  "unpivot",
]);

/** For a name that is none of a DataFrame's columns: the columns, instead of all overloads and their types. */
function unknownColumn(message: string, takesNames: boolean): string | undefined {
  const found = /Argument of type '"(?<name>[^"]+)"' is not assignable to parameter of type '(?<list>[^']+)'/.exec(
    message,
  );
  const { name = "", list = "" } = found?.groups ?? {};
  if (!/`[^`]+\.\$\{string\}`/.test(list) && !takesNames) return undefined;
  // The compiler lists them in an order of its own.
  const columns = [...list.matchAll(/"([^"]+)"/g)]
    .flatMap(([, column = ""]) => (column === "*" ? [] : [column]))
    .sort();
  const [near] = nearest(name, columns);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `There is no column "${name}".${meant} The columns are ${columns.map((column) => `"${column}"`).join(", ")}.`;
}

/** For `df.name`, where the DataFrame has a column of that name. */
function columnProperty(message: string): string | undefined {
  const found = /^Property '(?<name>\w+)' does not exist on type 'DataFrame<(?<row>\{.*\})>'/s.exec(message);
  const { name = "", row = "" } = found?.groups ?? {};
  if (!found || !new RegExp(`[{;]\\s*(?:readonly )?${name}\\??:`).test(row)) return undefined;
  return `A DataFrame's column is written df["${name}"] or col("${name}").`;
}

/** For a promise where its value is wanted. */
function awaited(message: string): string | undefined {
  if (!/'Promise<.*'/s.test(message) || / to (?:parameter of )?type 'Promise</.test(message)) return undefined;
  return `${message.split("\n")[0]} A promise's value comes by await: await ….`;
}

/** The methods that stand for the operators of PySpark's columns. */
const OPERATORS: Readonly<Record<string, string>> = {
  "==": "equalTo",
  "===": "equalTo",
  "!=": "notEqual",
  "!==": "notEqual",
  "<": "lt",
  "<=": "leq",
  ">": "gt",
  ">=": "geq",
  "+": "plus",
  "-": "minus",
  "*": "multiply",
  "/": "divide",
  "%": "mod",
  "&": "and",
  "&&": "and",
  "|": "or",
  "||": "or",
};

/** The outermost expression of operators at a place. */
function operation(compiler: Compiler, file: ts.SourceFile, start: number): ts.Expression | undefined {
  let found: ts.Expression | undefined;
  let node = compiler.findPrecedingToken(start + 1, file);
  for (; node && !compiler.isStatement(node); node = node.parent) {
    if (compiler.isBinaryExpression(node) || compiler.isPrefixUnaryExpression(node)) found = node;
    const { parent } = node;
    const isArgument = parent && compiler.isCallOrNewExpression(parent) && parent.expression !== node;
    if (isArgument || compiler.isArrowFunction(node)) break;
  }
  return found;
}

/** The part of the text that the error and its hint explain whole. */
export function explainedSpan(
  compiler: Compiler,
  { code, start, length, file, messageText }: ts.DiagnosticWithLocation,
): { readonly start: number; readonly end: number } | undefined {
  if (code === CANNOT_FIND_NAME) {
    const { parent } = compiler.findPrecedingToken(start + 1, file) ?? {};
    return isKeyword(compiler, file, start) && parent ? { start, end: parent.end } : undefined;
  }
  const isOperator = [NO_OPERATOR, NO_LEFT_NUMBER, NO_RIGHT_NUMBER, NO_COMPARISON, NO_BITS, NOT_AN_ARGUMENT];
  if (!isOperator.includes(code)) return undefined;
  const message = compiler.flattenDiagnosticMessageText(messageText, "\n");
  if (code === NOT_AN_ARGUMENT && !TAKES_COLUMN.test(message)) return undefined;
  if (columnOperator(compiler, file, start, message) === undefined) return undefined;
  const whole = operation(compiler, file, start);
  return whole && { start: Math.min(start, whole.getStart(file)), end: Math.max(start + length, whole.end) };
}

/** For Python's operators on columns: the line by methods. */
function columnOperator(compiler: Compiler, file: ts.SourceFile, start: number, message: string): string | undefined {
  const whole = operation(compiler, file, start);
  const isColumn = /\bColumn</.test(message) || /\b(?:col|lit)\(|\w\[["']/.test(whole?.getText(file) ?? "");
  const text = whole && isColumn ? byMethods(compiler, file, whole) : undefined;
  return text === undefined ? undefined : `Columns have methods in place of operators: ${text}`;
}

function byMethods(compiler: Compiler, file: ts.SourceFile, node: ts.Expression): string | undefined {
  const inner = compiler.isParenthesizedExpression(node) ? node.expression : node;
  if (compiler.isPrefixUnaryExpression(inner)) {
    if (![compiler.SyntaxKind.TildeToken, compiler.SyntaxKind.ExclamationToken].includes(inner.operator))
      return inner.getText(file);
    return `${byMethods(compiler, file, inner.operand)}.not()`;
  }
  if (!compiler.isBinaryExpression(inner)) return inner.getText(file);
  const method = OPERATORS[inner.operatorToken.getText(file)];
  if (method === undefined) return undefined;
  const [left, right] = [byMethods(compiler, file, inner.left), byMethods(compiler, file, inner.right)];
  return left === undefined || right === undefined ? undefined : `${left}.${method}(${right})`;
}
