export type { Displayable, MimeBundle } from "../plot/mime-bundle";
export { type DisplayOptions, display, inNotebook } from "./display";
