import { validate as validateData } from "../session/validate";
import { formatReport } from "../session/validation-report";
import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS, wholeNumber } from "./command";
import { withSession } from "./session-for";

/** `pomona validate PATH`: opens a data set again and checks it; exit code 1 where something is wrong. */
export const validate: Command = {
  name: "validate",
  about: ABOUT.validate,
  positionals: ["PATH"],
  options: {
    rows: { type: "string", value: "N", about: "the number of rows there must be" },
    dimension: { type: "string", value: "D", about: "the length every vector must have" },
    column: { type: "string", value: "NAME", about: "the column of vectors (default: the only one there is)" },
    master: SHARED_OPTIONS.master,
    conf: SHARED_OPTIONS.conf,
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona validate out/features --rows 23619 --dimension 1280"],
  async run(context) {
    const { positionals, options, signal } = context;
    const rows = wholeNumber(options, "rows", 0);
    const dimension = wholeNumber(options, "dimension");
    const report = await withSession(context, (session) =>
      validateData(session, positionals[0] ?? "", {
        ...(rows === undefined ? {} : { rows }),
        ...(dimension === undefined ? {} : { dimension }),
        ...(typeof options.column === "string" ? { column: options.column } : {}),
        signal,
      }),
    );
    context.print(options.json ? JSON.stringify(report) : formatReport(report));
    return report.ok ? 0 : 1;
  },
};
