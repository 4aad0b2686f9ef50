import { delimiter, join } from "node:path";

export interface ServerSettings {
  readonly port: number;
  /** `local[N]` or `spark://…`. */
  readonly master: string;
  /** Of an executor. */
  readonly cores: number;
  /** Of an executor, in Java's form such as `1g`. */
  readonly memory: string;
  readonly uiPort: number;
  readonly historyPort: number;
  /** Event logs, kept after the server. */
  readonly events: string;
  readonly folder: string;
  readonly s3a: string | undefined;
}

/** Those that options of the command decide. */
export const OPTIONS_DECIDE: Readonly<Record<string, string>> = {
  "spark.master": "--workers",
  "spark.connect.grpc.binding.port": "--port",
  "spark.executor.cores": "--cores",
  "spark.executor.memory": "--memory",
};

/**
 * The first jobs of a new JVM are slow for its compilers' work, which on a small machine they share the processors with: what its second
 * compiler takes up ten times later than by default is still what runs long.
 */
const LATE_COMPILER =
  "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000";

/** Two threads of tasks don't need a collector with threads of its own. */
const javaOptions = (cores: number) => (cores <= 2 ? `-XX:+UseSerialGC ${LATE_COMPILER}` : LATE_COMPILER);

/** The settings of a server; what is given wins. */
export function settingsOf(
  server: ServerSettings,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { port, master, cores, memory, uiPort, historyPort, events, folder, s3a } = server;
  const isLocal = master.startsWith("local");
  const settings: Record<string, string> = {
    "spark.master": master,
    "spark.app.name": "pomona spark",
    "spark.driver.memory": isLocal ? memory : "1g",
    ...(isLocal ? {} : { "spark.executor.cores": String(cores), "spark.executor.memory": memory }),
    // Before the options that are given.
    "spark.driver.defaultJavaOptions": javaOptions(isLocal ? cores : 1),
    ...(isLocal ? {} : { "spark.executor.defaultJavaOptions": javaOptions(cores) }),
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": String(port),
    // A page elsewhere than we and the sessions are told would be of another server.
    "spark.port.maxRetries": "0",
    "spark.ui.port": String(uiPort),
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.warehouse.dir": join(folder, "warehouse"),
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": `file://${events}`,
    ...given,
  };
  if (settings["spark.eventLog.enabled"] === "true") {
    settings["spark.history.fs.logDirectory"] ??= settings["spark.eventLog.dir"] ?? "";
    settings["spark.history.ui.port"] ??= String(historyPort);
    settings["spark.history.fs.cleaner.enabled"] ??= "true";
  }
  if (s3a !== undefined) {
    for (const name of ["spark.driver.extraClassPath", "spark.executor.extraClassPath"])
      settings[name] = [settings[name], join(s3a, "*")].filter(Boolean).join(delimiter);
    settings["spark.hadoop.fs.s3.impl"] ??= "org.apache.hadoop.fs.s3a.S3AFileSystem";
    // As Hadoop 3.4 has it always: 3.3 removes the markers of all folders above each file, which some servers refuse, and tries for minutes.
    settings["spark.hadoop.fs.s3a.directory.marker.retention"] ??= "keep";
  }
  return settings;
}

/** As Java reads them. @see java.util.Properties */
export function propertiesText(settings: Readonly<Record<string, string>>): string {
  const escaped = (text: string) => text.replace(/\\/g, "\\\\").replace(/\r/g, "\\r").replace(/\n/g, "\\n");
  return Object.entries(settings)
    .map(([name, value]) => `${escaped(name).replace(/[:= ]/g, "\\$&")}=${escaped(value)}\n`)
    .join("");
}
