/** One instruction of a Dockerfile, such as `RUN` with what follows it; lists in JSON are lists. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
  readonly list: readonly string[] | undefined;
}

/** A stage, with the instructions of the stage that it goes on from. */
export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, by name. */
export function parseDockerfile(text: string): ReadonlyMap<string, Stage> {
  const stages = new Map<string, Stage & { instructions: Instruction[] }>();
  let current: (Stage & { instructions: Instruction[] }) | undefined;
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== "")) {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === "FROM") {
      const [, from = "", as = ""] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      current = { name: as, from, instructions: [] };
      stages.set(as, current);
    } else if (name === "" || !current) throw new Error(`This is no instruction: ${line}`);
    else current.instructions.push({ name, text: rest, list: rest.startsWith("[") ? JSON.parse(rest) : undefined });
  }
  return stages;
}

/** Whether a pattern of `.dockerignore` names a path; of its forms those that the project uses. */
export function isIgnored(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const anywhere = pattern.startsWith("**/");
    const name = anywhere ? pattern.slice(3) : pattern;
    if (/[!?[\]]|\*\*|\/\*/.test(name)) throw new Error(`The test does not know the pattern ${pattern}.`);
    const source = name.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
    return new RegExp(`^${anywhere ? "(.*/)?" : ""}${source}(/|$)`).test(path);
  });
}
