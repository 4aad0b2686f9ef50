/** What a notebook shows and asks: any value as an output, outputs that are replaced, markup, questions. */

/** @internal The look of Pomona's tables, for its kernel. */
export { htmlFacts, htmlTable } from "../frame/html-table";
export type { Displayable, MimeBundle } from "../host/mime-bundle";
export { clearOutput, type DisplayOptions, display, inNotebook, updateDisplay } from "./display";
export { InputEndedError, type PromptOptions, prompt, readLine } from "./input";
export { type RepresentOptions, represent } from "./represent";
export { html, type Markup, markdown, md, svg } from "./tags";
