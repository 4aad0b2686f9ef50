import { createRequire } from "node:module";
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../host/mime-bundle";

export interface DisplayOptions {
  /** Names the output, so that a later call with `update` can replace it. */
  readonly displayId?: string;
  /** Replaces the output of that `displayId`, in whichever cell it is. @default false */
  readonly update?: boolean;
}

/** True where outputs go to a notebook: in a tslab kernel that has run a cell. */
export function inNotebook(): boolean {
  return kernelWriter() !== undefined;
}

/**
 * Shows something in the notebook, below the cell that runs: a plot, an image grid, or a mime bundle such as
 * `{ "text/html": "<b>done</b>", "text/plain": "done" }`. Outside a notebook it prints the plain text.
 */
export function display(shown: MimeBundle | Displayable, options: DisplayOptions = {}): void {
  const bundle = JUPYTER_DISPLAY in shown ? (shown as Displayable)[JUPYTER_DISPLAY]() : (shown as MimeBundle);
  const write = kernelWriter();
  if (!write) {
    if (!options.update) console.log(plainText(bundle));
    return;
  }
  const transient = options.displayId === undefined ? {} : { display_id: options.displayId };
  write({ data: bundle, metadata: {}, transient }, options.update === true);
}

type DisplayWriter = (content: object, update: boolean) => void;

interface TslabJupyter {
  /** Null until a cell has run. */
  readonly lastWriteDisplayData?: DisplayWriter | null;
}

let tslab: TslabJupyter | undefined;

/**
 * The running kernel's own way out. This package's tslab may be another copy than the one that runs, so the module is
 * sought among those that are loaded; tslab's public API would take one mime type at a time only.
 */
function kernelWriter(): DisplayWriter | undefined {
  tslab ??= loadedTslab();
  return tslab?.lastWriteDisplayData ?? undefined;
}

function loadedTslab(): TslabJupyter | undefined {
  const { cache } = createRequire(__filename);
  for (const [path, module] of Object.entries(cache)) {
    if (!/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(path)) continue;
    const exports = module?.exports as TslabJupyter | undefined;
    if (exports?.lastWriteDisplayData) return exports;
  }
  return undefined;
}

function plainText(bundle: MimeBundle): string {
  const text = bundle["text/plain"] ?? bundle["text/markdown"];
  if (typeof text === "string") return text;
  return `[${Object.keys(bundle).join(", ")}]`;
}
