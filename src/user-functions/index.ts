export { BroadcastValueError, needsPreparation, prepareSourceFunction } from "./broadcast";
export { Broadcast } from "./broadcast-variable";
export { CapturedVariableError, UnsupportedFunctionError } from "./capture";
export { ImportBundleError } from "./import-bundle";
export {
  defineRowFunction,
  fromModule,
  type ModuleFunction,
  type RowFunction,
  sourceFunction,
  type UserFunctionOptions,
} from "./source-function";
