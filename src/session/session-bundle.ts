import type { EngineInfo } from "../engine/contract";
import type { MimeBundle } from "../kernel/mime-bundle";
import { htmlFacts } from "../showing/html-table";
import { counted } from "../showing/quantities";

/** What the table of a session tells. */
interface SessionFacts {
  readonly applicationId: string;
  readonly appName: string;
  readonly master: string;
  readonly defaultParallelism: number;
  readonly state: string;
  readonly uiWebUrl: string | undefined;
  readonly engineInfo: EngineInfo;
  /** Whether it is an Apache Spark that runs its work. */
  readonly isOnSpark: boolean;
}

/** A session as a notebook shows it. */
export function sessionBundle(session: SessionFacts): MimeBundle {
  const facts = session.isOnSpark ? sparkFacts(session) : localFacts(session);
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}${value}`);
  return { "text/html": htmlFacts(facts), "text/plain": lines.join("\n") };
}

type Facts = readonly (readonly [name: string, value: string])[];

function localFacts(session: SessionFacts): Facts {
  return [
    ["ID", session.applicationId],
    ["Application", session.appName],
    ["Master", `${session.master} (${counted(session.defaultParallelism, "worker")})`],
    ["State", session.state],
    ["UI", session.uiWebUrl ?? "none; pomona history serve shows one"],
  ];
}

/** Spark is asked as the session starts; until then nothing is known of it. */
function sparkFacts(session: SessionFacts): Facts {
  const { id, version, machines } = session.engineInfo;
  const executors = machines.filter(({ state }) => state === "ready");
  const tasks = counted(session.defaultParallelism, "task");
  const spark: Facts = [
    ["Spark", version],
    ["Executors", executors.length === 0 ? `not told; ${tasks} at once` : `${executors.length} (${tasks} at once)`],
    ["UI", session.uiWebUrl ?? "Spark's page can't be reached from here; pomona history serve shows one"],
  ];
  return [
    ...(version === "" ? [] : [["ID", id] as const]),
    ["Application", session.appName],
    ["Master", session.master],
    ["State", session.state],
    ...(version === "" ? [] : spark),
  ];
}
