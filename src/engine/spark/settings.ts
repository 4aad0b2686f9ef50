import type { EngineOptions } from "../contract";
import type { SparkClient } from "./client";

/** What a session on Spark has, so that values are those of other engines. */
const FIXED = {
  // Values are computed by Spark 4's rules, which 3.5 has for the asking.
  "spark.sql.ansi.enabled": "true",
  "spark.sql.session.timeZone": "UTC",
};

/** What the session's own settings mean to Spark too; how many rows a batch has, functions on workers decide. */
const SHARED = /^spark\.sql\.(?!repl\.|execution\.arrow\.maxRecordsPerBatch$)/;
const STORAGE = /^(?:spark\.hadoop\.)?(fs\..+)$/;

/** By which Spark reads what people write as s3://, where they say how S3 is reached. */
const S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem";

export interface SparkSettings {
  /** Tells Spark of the settings that it has not been told of. */
  send(session: Pick<SparkClient, "setConfig">, signal?: AbortSignal): Promise<void>;
  /** Forgets what was sent, since the session on the server is a new one. */
  forget(): void;
}

/** The session's settings as Spark's. @param warn takes a line about one that Spark does not take */
export function sparkSettings(options: EngineOptions, warn: (text: string) => void): SparkSettings {
  let sent = new Map<string, string>();
  return {
    forget() {
      sent = new Map();
    },
    async send(session, signal) {
      const wanted = sparkNames({ ...options.secretSettings, ...options.settings?.() });
      const changed = Object.entries(wanted).filter(([name, value]) => sent.get(name) !== value);
      if (changed.length === 0) return;
      const all = Object.fromEntries(changed);
      try {
        await session.setConfig(all, signal);
      } catch (error) {
        if (!isRefused(error)) throw error;
        // One of them is none that a session sets: which one shows one by one.
        for (const [name, value] of changed) await setOne(session, name, value, signal);
      }
      for (const [name, value] of changed) sent.set(name, value);
    },
  };

  async function setOne(
    session: Pick<SparkClient, "setConfig">,
    name: string,
    value: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await session.setConfig({ [name]: value }, signal);
    } catch (error) {
      if (name in FIXED || !isRefused(error)) throw error;
      warn(`Spark does not take the setting ${name} from a session: its server was started with its own.`);
    }
  }
}

function isRefused(error: unknown): boolean {
  return /CANNOT_MODIFY|CONFIG_NOT_FOUND|INVALID_CONF/.test(String(error));
}

function sparkNames(settings: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const storage = STORAGE.exec(name)?.[1];
    if (storage !== undefined) found[storage] = value;
    else if (SHARED.test(name)) found[name] = value;
  }
  const hasS3 = Object.keys(found).some((name) => name.startsWith("fs.s3a."));
  return { ...(hasS3 ? { "fs.s3.impl": S3A, "fs.s3n.impl": S3A } : {}), ...found, ...FIXED };
}
