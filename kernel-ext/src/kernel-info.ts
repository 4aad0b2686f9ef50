import type { Content } from "./messages";

const { version: VERSION } = require("pomona/package.json") as { version: string };

/** The TypeScript that compiles cells; loading it to ask would take this thread a second. */
const TYPESCRIPT = "5.9.3";

/** What the kernel says of itself. @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info */
export const kernelInfo: Content = {
  protocol_version: "5.4",
  implementation: "pomona",
  implementation_version: VERSION,
  banner: `Pomona ${VERSION}: TypeScript ${TYPESCRIPT} on Node.js ${process.versions.node}. %%help lists the magics.`,
  language_info: {
    name: "typescript",
    version: TYPESCRIPT,
    mimetype: "text/typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: { name: "javascript", mode: "typescript", typescript: true },
    nbconvert_exporter: "script",
  },
  debugger: false,
  help_links: [
    { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
    {
      text: "PySpark's functions",
      url: "https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/functions.html",
    },
  ],
};
