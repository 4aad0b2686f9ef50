export {
  type Comm,
  type CommData,
  type CommOptions,
  connectKernel,
  type DisplayContent,
  type FunctionOrigin,
  type KernelHost,
  kernelHost,
} from "./kernel-host";
export { type Displayable, escapeHtml, JUPYTER_DISPLAY, type MimeBundle } from "./mime-bundle";
