export { nearest, PomonaError } from "../errors";
export { cacheFolder } from "./cache-folder";
export { type UnguardedLine, withoutGuards } from "./guards";
export {
  type Comm,
  type CommData,
  type CommOptions,
  connectKernel,
  type DisplayContent,
  type FunctionOrigin,
  type ImportOrigin,
  type KernelHost,
  kernelHost,
  type NotebookName,
  type SentOutput,
} from "./kernel-host";
export {
  type Displayable,
  displayIdOf,
  escapeHtml,
  JUPYTER_DISPLAY,
  type MimeBundle,
  withDisplayId,
} from "./mime-bundle";
export { withoutSecretLiterals } from "./secret-literals";
