import type { MimeBundle } from "../kernel/mime-bundle";
import { htmlFacts } from "../showing/html-table";

/** What the table of a session tells. */
interface SessionFacts {
  readonly applicationId: string;
  readonly appName: string;
  readonly master: string;
  readonly defaultParallelism: number;
  readonly state: string;
  readonly uiWebUrl: string | undefined;
}

/** A session as a notebook shows it. */
export function sessionBundle(session: SessionFacts): MimeBundle {
  const workers = session.defaultParallelism;
  const facts: [string, string][] = [
    ["ID", session.applicationId],
    ["Application", session.appName],
    ["Master", `${session.master} (${workers} ${workers === 1 ? "worker" : "workers"})`],
    ["State", session.state],
    ["UI", session.uiWebUrl ?? "none; pomona history serve shows one"],
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}${value}`);
  return { "text/html": htmlFacts(facts), "text/plain": lines.join("\n") };
}
