/** What a parameter's text means in a notebook, for `pomona run` and papermill alike. */
export interface ParameterCase {
  /** The cell tagged parameters. */
  readonly cell: string;
  readonly name: string;
  readonly text: string;
  /** Given with `-r`, not `-p`. */
  readonly raw?: true;
  /** What stands between `let` and `=`; the name by default. */
  readonly declares?: string;
  readonly value?: unknown;
  /** What the refusal says, in place of a value. */
  readonly error?: RegExp;
}

/** Texts whose meaning does not hang on the cell. */
const FREE: readonly [string, unknown][] = [
  ["5", 5],
  ["-5", -5],
  ["+5", 5],
  ["007", 7],
  ["1_000", 1000],
  [" 12 ", 12],
  ["-0", 0],
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 9007199254740992n],
  ["-12345678901234567890", -12345678901234567890n],
  ["2.5", 2.5],
  ["-0.0", -0],
  [".5", 0.5],
  ["5.", 5],
  ["1e3", 1000],
  ["1E-7", 1e-7],
  ["1e400", Infinity],
  ["1_0.2_5", 10.25],
  ["nan", NaN],
  ["-inf", -Infinity],
  ["Infinity", Infinity],
  ["True", true],
  ["False", false],
  ["None", null],
  ["true", "true"],
  ["null", "null"],
  ["undefined", "undefined"],
  ["0x10", "0x10"],
  ["1__0", "1__0"],
  ["1.2.3", "1.2.3"],
  ["5 6", "5 6"],
  ["1n", "1n"],
  ["٣", 3],
  ["", ""],
  [" padded ", " padded "],
  ["[1, 2]", "[1, 2]"],
  ['{"a": 1}', '{"a": 1}'],
  [`O'Brien "x" \`y\` \${z} \\n`, `O'Brien "x" \`y\` \${z} \\n`],
  ["two\nlines\ttab\u0000\u007f", "two\nlines\ttab\u0000\u007f"],
  ["Äpfel 林檎 🍎 \u2028 \u2029", "Äpfel 林檎 🍎 \u2028 \u2029"],
];

const OPEN = "// Anything\nlet x: unknown = 1;";

export const PARAMETER_CASES: readonly ParameterCase[] = [
  ...FREE.map(([text, value]) => ({ cell: OPEN, name: "x", text, declares: "x: unknown", value })),
  ...["5", "True", "nan", "x"].map((text) => ({
    cell: OPEN,
    name: "x",
    text,
    raw: true as const,
    declares: "x: unknown",
    value: text,
  })),

  // The declared type is kept, and text becomes what it asks for.
  { cell: "let n = 5;", name: "n", text: "7", value: 7 },
  { cell: "let n: number = 5; // how many", name: "n", text: "7", declares: "n: number", value: 7 },
  { cell: "let on = false", name: "on", text: "true", value: true },
  { cell: "let on: boolean = false", name: "on", text: "False", declares: "on: boolean", value: false },
  { cell: "let who = 'nobody';", name: "who", text: "true", value: "true" },
  { cell: "let who = `nobody`;", name: "who", text: "7", raw: true, value: "7" },
  { cell: "let big = 5n;", name: "big", text: "7", value: 7n },
  {
    cell: "let big: bigint = 5n;",
    name: "big",
    text: "12345678901234567890",
    declares: "big: bigint",
    value: 12345678901234567890n,
  },
  { cell: "let big = 5n;", name: "big", text: "1e3", value: 1000n },
  { cell: "let xs = [1, 2];", name: "xs", text: "[3, 2.5, null]", value: [3, 2.5, null] },
  { cell: "let xs: number[] = [];", name: "xs", text: "[]", declares: "xs: number[]", value: [] },
  { cell: "let xs = [1];", name: "xs", text: "[-0, 1e400, 9007199254740993]", value: [-0, Infinity, 9007199254740992] },
  {
    cell: "let xs: readonly string[] = [];",
    name: "xs",
    text: '["a"]',
    declares: "xs: readonly string[]",
    value: ["a"],
  },
  {
    cell: "const o = { a: 1 };",
    name: "o",
    text: '{"a": {"b c": [true, "\u2028"]}}',
    value: { a: { "b c": [true, "\u2028"] } },
  },
  {
    cell: "let o: { a: number; b?: string } = { a: 1 };",
    name: "o",
    text: '{"a": 2}',
    declares: "o: { a: number; b?: string }",
    value: { a: 2 },
  },
  { cell: "let o = {};", name: "o", text: '{"__proto__": 1}', value: JSON.parse('{"__proto__": 1}') },
  { cell: "let k: number | string = 5;", name: "k", text: "x", declares: "k: number | string", value: "x" },
  { cell: "let path: string | null = null;", name: "path", text: "None", declares: "path: string | null", value: null },
  { cell: "let n: number;", name: "n", text: "3", declares: "n: number", value: 3 },
  { cell: "let n = Math.max(1, 2);", name: "n", text: "x", value: "x" },
  { cell: "let a = 1, b: Map<string, number> = new Map(), c = 'x';", name: "c", text: "y", value: "y" },
  { cell: 'let a = "let n = 1; // no", n = 2 // yes', name: "n", text: "3", value: 3 },
  { cell: "let n /* how many */ : /* whole */ number = 5", name: "n", text: "6", declares: "n: number", value: 6 },
  {
    cell: "let n:\n  number\n  | string\n  = 5\nlet m = 1",
    name: "n",
    text: "6",
    declares: "n: number | string",
    value: 6,
  },
  { cell: "let f = (x: number) => { let y = 1; return x; };\nlet n = 5;", name: "n", text: "6", value: 6 },
  { cell: "let größe = 5;", name: "größe", text: "6", value: 6 },
  { cell: "let $ = 5;\nlet _a1 = 1;", name: "$", text: "6", value: 6 },
  { cell: "let n = 1;\r\nlet m: number = 2;\r\n", name: "m", text: "6", declares: "m: number", value: 6 },

  // What cannot be assigned is refused before anything runs.
  { cell: "let n = 5;", name: "n", text: "many", error: /parameter n is a number in the notebook, and "many" is text/ },
  { cell: "let n = 5;", name: "n", text: "True", error: /n is a number in the notebook, and true is true or false/ },
  { cell: "let n: number = 5;", name: "n", text: "9007199254740993", error: /9007199254740993n is a bigint/ },
  {
    cell: "let who = '';",
    name: "who",
    text: "2024",
    error: /who is text in the notebook, and 2024 is a number.\n-r who 2024/,
  },
  { cell: "let on = true;", name: "on", text: "yes", error: /on is true or false in the notebook, and "yes" is text/ },
  {
    cell: "let xs = [];",
    name: "xs",
    text: "1,2",
    error: /xs is an array or object in the notebook, and "1,2" is text/,
  },
  {
    cell: "let xs = [];",
    name: "xs",
    text: "null",
    error: /xs is an array or object in the notebook, and "null" is text/,
  },
  {
    cell: "let xs = [];",
    name: "xs",
    text: "5",
    raw: true,
    error: /xs is an array or object in the notebook, and "5" is text/,
  },
  {
    cell: "let big = 1n;",
    name: "big",
    text: "1e30",
    error: /big is a bigint in the notebook, and 1e\+30 is a number/,
  },
  { cell: "let big = 1n;", name: "big", text: "1.5", error: /big is a bigint in the notebook, and 1.5 is a number/ },
  { cell: OPEN, name: "not a name", text: "1", error: /"not a name" is not a name that a variable can have/ },
  { cell: OPEN, name: "1st", text: "1", error: /"1st" is not a name/ },
  { cell: OPEN, name: "a.b", text: "1", error: /"a.b" is not a name/ },
  { cell: OPEN, name: "class", text: "1", error: /"class" is a word of the language/ },
];
