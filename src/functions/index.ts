/** The public entry of the table of functions in `frame`. */
export * from "../frame/functions";
