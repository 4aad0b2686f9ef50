import type { Engine } from "../engine/contract";
import type { RuntimeConfig } from "./configuration";

export function showProgress(_engine: Engine, _conf: RuntimeConfig): () => void {
  return () => {};
}
