/** How TypeScript writes what a line of Python or of IPython says; undefined where a line looks like neither. */
export function pythonSyntax(line: string): string | undefined {
  const shell = /^\s*!\s*(?<command>[a-z][\w.-]*(?:\s.*)?)$/.exec(line)?.groups?.command;
  if (shell !== undefined) return shellHint(shell);
  if (/^\s*%/.test(line)) return "A magic stands at the head of its cell; %%help lists them.";
  if (/(?<![\w$])[fF]["']/.test(line))
    return "TypeScript writes a text with values in it between backticks: `… ${" + "name} …`.";
  if (/"""|'''/.test(line))
    return "TypeScript writes a text of several lines between backticks, and a comment as /* … */.";
  // Texts and comments say anything.
  const code = line.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""').replace(/\/\/.*$/, "");
  for (const [pattern, hint] of LINES) {
    const found = pattern.exec(code);
    if (found) return typeof hint === "string" ? hint : hint(found.groups ?? {});
  }
  return undefined;
}

function shellHint(command: string): string {
  const [, names] = /^(?:pip3?|conda)\s+install\s+(.*)/.exec(command) ?? [];
  return names === undefined
    ? `A shell command is a cell of its own: %%bash, and below it ${command.trim()}`
    : "Packages come from npm, in a cell of its own: %%bash, and below it npm install …";
}

const BRACES = "TypeScript puts what belongs to it between braces: ";

/** The first that fits is taken. */
const LINES: readonly (readonly [
  RegExp,
  string | ((groups: Readonly<Record<string, string | undefined>>) => string),
])[] = [
  [/^\s*#/, "A comment begins with //."],
  [
    /^\s*from\s+pyspark\b/,
    "session, col, F (all functions) and more are here without an import; the page “Coming from PySpark” tells from where the rest is imported.",
  ],
  [
    /^\s*from\s+(?<from>[\w.]+)\s+import\s/,
    ({ from }) => `TypeScript writes import { … } from "${from}"; with an npm package's name.`,
  ],
  [
    /^\s*import\s+[\w.]+\s+as\s+(?<name>\w+)/,
    ({ name }) => `TypeScript writes import * as ${name} from "…"; with an npm package's name.`,
  ],
  [/^\s*import\s+[\w.]+\s*$/, 'TypeScript writes import * as name from "…"; with an npm package\'s name.'],
  [/\belif\b/, "TypeScript writes else if (…) { … }."],
  [
    /^\s*(?:async\s+)?def\s+(?<name>\w+)\s*\((?<args>[^)]*)\)/,
    ({ name, args }) => `TypeScript writes function ${name}(${args}) { … }.`,
  ],
  [/\blambda\b\s*(?<args>[\w\s,]*):/, ({ args = "" }) => `TypeScript writes a lambda as (${args.trim()}) => ….`],
  [
    /[[({].*\bfor\s+(?<name>\w+)\s+in\b/,
    ({ name }) => `TypeScript writes a comprehension as xs.map((${name}) => …), with .filter(…) before it for its if.`,
  ],
  [
    /^\s*for\s+(?<name>\w+)\s+in\s+range\s*\(\s*(?<end>[^,)]*)\)/,
    ({ name, end }) => `TypeScript writes for (let ${name} = 0; ${name} < ${end}; ${name}++) { … }.`,
  ],
  [
    /^\s*for\s+(?<name>.+?)\s+in\s+(?<of>.+?)\s*:?\s*$/,
    ({ name, of }) => `TypeScript writes for (const ${name} of ${of}) { … }.`,
  ],
  [/^\s*if\s+(?!\().*:\s*$|^\s*if\s.*:\s*$/, "TypeScript writes if (…) { … }."],
  [/^\s*while\s.*:\s*$/, "TypeScript writes while (…) { … }."],
  [/^\s*else\s*:/, `${BRACES}else { … }.`],
  [/^\s*try\s*:/, `${BRACES}try { … } catch (error) { … }.`],
  [/^\s*except\b/, "TypeScript writes catch (error) { … }."],
  [/^\s*finally\s*:/, `${BRACES}finally { … }.`],
  [/^\s*class\s+(?<name>\w+).*:\s*$/, ({ name }) => `${BRACES}class ${name} { … }.`],
  [/^\s*with\s.*:/, "TypeScript writes using name = …; which closes it at the end of its block."],
  [/^\s*raise\b/, "TypeScript writes throw new Error(…)."],
  [/^\s*print\s+\S/, "TypeScript writes console.log(…)."],
  [/^\s*del\s/, "A variable is not removed; give it another value, or df.unpersist() what is cached."],
  [/^\s*pass\b/, "TypeScript needs no pass: { } is an empty block."],
  [/\bis\s+not\s+None\b/, "TypeScript writes x !== null."],
  [/\bis\s+None\b/, "TypeScript writes x === null."],
  [/\bnot\s+in\b/, "TypeScript writes !xs.includes(x)."],
  [/\w\s+if\s.+\selse\s/, "TypeScript writes a choice as condition ? a : b."],
  [/\bnot\s+[\w(]/, "TypeScript writes not as !x."],
  [/[\w)\]]\s+and\s+[\w(]/, "TypeScript writes and as &&."],
  [/[\w)\]]\s+or\s+[\w(]/, "TypeScript writes or as ||."],
  [/\[[\w-]*:[\w-]*\]/, "TypeScript writes a part of a list as xs.slice(from, to)."],
];
