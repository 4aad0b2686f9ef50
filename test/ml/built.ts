import { createRequire } from "node:module";

const load = createRequire(__filename);

/** The package as users get it, from dist: its worker threads run compiled files. */
export const pomona = load("pomona") as typeof import("../../src/index");
export const ml = load("pomona/ml") as typeof import("../../src/ml/index");
