import type { MimeBundle } from "pomona/kernel";
import { htmlTable } from "pomona/notebook";
import type { Reason, StaleCell } from "../runtime/cell-graph";

const NONE = "No cell is stale: nothing that a cell used was redefined after it ran.";
const LATER = "Right where the cells run from top to bottom, since what redefines these names came later:";

/** The stale cells, each with its reasons and its first line. */
export function staleBundle(cells: readonly StaleCell[]): MimeBundle {
  const stale = cells.filter(({ isInOrder }) => !isInOrder);
  const inOrder = cells.filter(({ isInOrder }) => isInOrder);
  const plain = [
    ...(stale.length > 0 ? stale.map(lineOf) : [NONE]),
    ...(inOrder.length > 0 ? ["", LATER, ...inOrder.map(lineOf)] : []),
  ];
  const html = [
    stale.length > 0 ? tableOf(stale) : `<p>${NONE}</p>`,
    inOrder.length > 0 ? `<p>${LATER}</p>${tableOf(inOrder)}` : "",
  ];
  return { "text/html": html.join(""), "text/plain": plain.join("\n") };
}

function lineOf({ count, line, reasons }: StaleCell): string {
  return `In[${count}] used ${reasons.map(reasonText).join(" and ")}: ${line}`;
}

function tableOf(cells: readonly StaleCell[]): string {
  const rows = cells.map(({ count, line, reasons }) => [`In[${count}]`, reasons.map(reasonText).join(", "), line]);
  return htmlTable({ header: ["cell", "used", "begins"], rows });
}

function reasonText({ name, through, from, kind, by }: Reason): string {
  const used = through === undefined ? name : `${name} through ${through}`;
  return `${used} (In[${from}], ${whatHappened(kind, by)})`;
}

function whatHappened(kind: Reason["kind"], by: number | undefined): string {
  switch (kind) {
    case "redefined":
      return `redefined by In[${by}]`;
    case "removed":
      return by === undefined ? "a cell that was removed" : `whose cell does not declare it any more since In[${by}]`;
    case "stale":
      return "stale itself";
  }
}
