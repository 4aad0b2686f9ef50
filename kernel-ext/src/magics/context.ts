import type { KernelHost } from "pomona/kernel";
import type { StaleMarks } from "../runtime/stale-marks";
import type { NotebookSession } from "../session/notebook-session";

/** What magics see of the notebook. */
export interface MagicContext {
  readonly host: KernelHost;
  readonly session: NotebookSession;
  /** Compiles and runs TypeScript in the notebook's scope, as a cell would; `begun` is called once it is compiled. */
  runCell(source: string, begun?: () => void): Promise<void>;
  /** The notebook's variables. */
  locals(): Readonly<Record<string, unknown>>;
  readonly marks: Pick<StaleMarks, "stale" | "used">;
  /** The notebook's folder. */
  readonly cwd: string;
  /** Aborted when the user interrupts the cell. */
  readonly signal: AbortSignal;
}
