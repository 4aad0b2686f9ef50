/** What a notebook shows and asks: any value as an output, outputs that are replaced, markup, questions. */

export type { Displayable, MimeBundle } from "../kernel/mime-bundle";
/** @internal The look of Pomona's tables, for its kernel. */
export { htmlFacts, htmlTable } from "../showing/html-table";
export { clearOutput, type DisplayOptions, display, inNotebook, updateDisplay } from "./display";
export { InputEndedError, type PromptOptions, prompt, readLine } from "./input";
export { type RepresentOptions, represent } from "./represent";
export { html, type Markup, markdown, md, svg } from "./tags";
