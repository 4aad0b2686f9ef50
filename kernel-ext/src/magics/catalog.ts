/** What stands below a magic's line: TypeScript, some other text, or nothing. */
export type MagicBody = "typescript" | "text" | "none";

export interface MagicOption {
  /** Such as `-o`. */
  readonly name: string;
  /** What its value is called, where it has one. */
  readonly value?: string;
  readonly about: string;
}

export interface Magic {
  /** Without `%%`. */
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  readonly options: readonly MagicOption[];
  readonly body: MagicBody;
}

/** The magics of a notebook. Data alone, since completion reads it in another thread. */
export const MAGICS: readonly Magic[] = [
  {
    name: "info",
    usage: "%%info",
    about: "The session, its settings and jobs, and the kernel: versions and memory.",
    options: [],
    body: "none",
  },
  {
    name: "configure",
    usage: '%%configure [-f]\n{ "name": "fruits", "master": "local[2]", "conf": { "spark.task.maxFailures": 2 } }',
    about: "Settings of the session: before it starts, or with -f by starting it anew.",
    options: [{ name: "-f", about: "stop a session that runs and start it anew with these settings" }],
    body: "text",
  },
  {
    name: "sql",
    usage: "%%sql [-o name] [-n rows] [-q]\nSELECT label, count(*) FROM images GROUP BY label",
    about:
      "The rows of a query over views and over the notebook's DataFrames by their names. The dialect is DuckDB's, or Spark's on sc://.",
    options: [
      { name: "-o", value: "name", about: "also keep the result as a DataFrame of this name, a lazy one" },
      { name: "-n", value: "rows", about: "the rows that are shown; default 20" },
      { name: "-q", about: "show nothing" },
    ],
    body: "text",
  },
  {
    name: "logs",
    usage: "%%logs",
    about: "What the session and its workers said, and when jobs started and ended: the last 1,000 lines.",
    options: [],
    body: "none",
  },
  {
    name: "cleanup",
    usage: "%%cleanup [-f]",
    about: "Ends the session: what runs of it ends, its temporary files go. The next use starts a new one.",
    options: [{ name: "-f", about: "also while jobs run, which cancels them" }],
    body: "none",
  },
  {
    name: "bash",
    usage: "%%bash\nls -l",
    about: "Runs shell commands in the notebook's folder.",
    options: [],
    body: "text",
  },
  { name: "html", usage: "%%html\n<b>text</b>", about: "Shows the cell as HTML.", options: [], body: "text" },
  { name: "markdown", usage: "%%markdown\n# Title", about: "Shows the cell as Markdown.", options: [], body: "text" },
  {
    name: "time",
    usage: "%%time\nawait df.count()",
    about: "Runs the cell and prints how long it took, and how much of the processor.",
    options: [],
    body: "typescript",
  },
  {
    name: "stale",
    usage: "%%stale",
    about: "The cells whose results are old: what they used was redefined since they ran.",
    options: [],
    body: "none",
  },
  {
    name: "help",
    usage: "%%help [magic]",
    about: "What there is, or how one of them is used.",
    options: [],
    body: "none",
  },
];
