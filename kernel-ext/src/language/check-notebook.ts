import { readFileSync, writeFileSync } from "node:fs";
import { notebookUses } from "./notebook-uses";

/** A program of its own, for `pomona run --check-order`: a JSON list of cells' texts in, {@link NotebookUses} as JSON out. */
writeFileSync(1, JSON.stringify(notebookUses(JSON.parse(readFileSync(0, "utf8")) as string[])));
