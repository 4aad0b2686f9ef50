export type { Displayable, MimeBundle } from "../host/mime-bundle";
export { type DisplayOptions, display, inNotebook } from "./display";
