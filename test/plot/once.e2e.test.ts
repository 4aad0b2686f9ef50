import { expect, test } from "vitest";
import type { RunningKernel } from "../support/kernel";
import { useKernel } from "../support/use-kernel";

/** Plotly's script, 2 MB, is in a notebook once. */

let kernel: RunningKernel;
const another = useKernel((started) => {
  kernel = started;
});

/** Which of a cell's shown figures carry the script. */
async function carrying(code: string, on: RunningKernel = kernel): Promise<boolean[]> {
  const { outputs, reply } = await on.execute(code);
  expect(reply.content.evalue).toBeUndefined();
  return outputs.flatMap(({ content }) => {
    const html = content.data?.["text/html"] as string | undefined;
    return html === undefined ? [] : [html.includes("DecompressionStream")];
  });
}

const untitled = "({ data: [{ y: [1, 3, 2] }], layout: {} })";

test("figures without a title, of one kind or of several, carry it once", async () => {
  expect(await carrying(`display(${untitled}); display(${untitled}); ${untitled}`)).toEqual([true, false, false]);
  expect(await carrying(`${untitled} // another cell`)).toEqual([false]);
  expect(await carrying('({ data: [{ type: "bar", y: [1] }], layout: {} })')).toEqual([false]);
});

test("a cell whose figure carries it, run again, carries it again", async () => {
  expect(await carrying(`display(${untitled}); display(${untitled}); ${untitled}`)).toEqual([true, false, false]);
  expect(await carrying(`${untitled} // another cell`)).toEqual([false]);
});

test("what takes the place of the figure that carries it carries it", async () => {
  const other = await another();
  const code = `display(${untitled}, { displayId: "a" }); updateDisplay("a", ${untitled}); display(${untitled});`;
  expect(await carrying(code, other)).toEqual([true, true, false]);
  const third = await another();
  expect(await carrying(`display(${untitled}); clearOutput(true); display(${untitled});`, third)).toEqual([true, true]);
});

test("titles that are texts, as Plotly took them until its version 3, are shown", async () => {
  const { outputs } = await kernel.execute(
    '({ data: [{ type: "pie", values: [1], title: "share" }], layout: { title: "Fruits", xaxis: { title: "x" }, yaxis: { title: { text: "y" } } } })',
  );
  const { data, layout } = outputs[0]?.content.data["application/vnd.plotly.v1+json"] ?? {};
  expect(layout).toEqual({
    title: { text: "Fruits" },
    xaxis: { title: { text: "x" } },
    yaxis: { title: { text: "y" } },
  });
  expect(data[0].title).toEqual({ text: "share" });
});
