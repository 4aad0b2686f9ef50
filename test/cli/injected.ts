import vm from "node:vm";
import { withParameters } from "../../src/cli/notebook-parameters";

/** A notebook whose only cell is tagged parameters. */
export const parametersNotebook = (cell: string) => ({
  cells: [
    {
      cell_type: "code",
      id: "p",
      source: cell,
      metadata: { tags: ["parameters"] },
      outputs: [],
      execution_count: null,
    },
  ],
  metadata: { kernelspec: { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" } },
  nbformat: 4,
  nbformat_minor: 5,
});

/** The text of the cell that `pomona run` would insert. */
export function injectedByPomona(cell: string, name: string, text: string, raw = false): string {
  const given = [`${name}=${text}`];
  const { cells } = withParameters(parametersNotebook(cell), { typed: raw ? [] : given, raw: raw ? given : [] });
  return String(cells[1]?.source);
}

/** `// Parameters` and one `let`: what it declares, and the value it gives. */
export function readInjected(source: string): { declares: string; value: unknown } {
  const [, declares = "", expression = ""] =
    /^\/\/ Parameters\nlet ([^=]*(?:=>[^=]*)*) = (.*);\n?$/s.exec(source) ?? [];
  if (expression === "") throw new Error(`Not a cell of one parameter:\n${source}`);
  // Through JSON where it is an object, since the other context's arrays are not ours.
  const value: unknown = vm.runInNewContext(`(${expression})`);
  return { declares, value: typeof value === "object" ? JSON.parse(JSON.stringify(value)) : value };
}
