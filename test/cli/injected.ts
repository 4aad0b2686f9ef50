import vm from "node:vm";
import { type GivenParameters, withParameters } from "../../src/cli/notebook-parameters";
import { venvProgram } from "../support/jupyter";

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
export function injectedByPomona(
  cell: string,
  { typed = [], raw = [] }: Partial<GivenParameters>,
  python = venvProgram("python"),
): string {
  return String(withParameters(parametersNotebook(cell), { typed, raw }, python).cells[1]?.source);
}

/** `// Parameters` and one `let`: what it declares, and the value it gives. */
export function readInjected(source: string): { declares: string; value: unknown } {
  const [, declares = "", expression = ""] =
    /^\/\/ Parameters\nlet ([^=]*(?:=>[^=]*)*) = (.*);\n?$/s.exec(source) ?? [];
  if (expression === "") throw new Error(`Not a cell of one parameter:\n${source}`);
  // A copy, since the other context's arrays are not ours.
  return { declares, value: structuredClone<unknown>(vm.runInNewContext(`(${expression})`)) };
}
