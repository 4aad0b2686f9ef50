/** What travels: files that are read, files between stages, what functions bring along, parts of an output. */
export type TravelKind = "input" | "spool" | "shipped" | "output";

/** Bytes that went between this machine and an endpoint. */
export interface Passage {
  readonly endpoint: string;
  readonly kind: TravelKind;
  /** The file, or the folder of an output. */
  readonly url: string;
  /** Absent for what all jobs need. */
  readonly jobId: string | undefined;
  readonly bytes: number;
  /** What that endpoint says: the milliseconds in which it waited so far, whatever it computed meanwhile, and the bytes that came of it. */
  readonly line: { readonly waited: number; readonly moved: number };
}

/** Counts what goes over the network because machines do not see the same files, and tells of it. */
export interface Travel {
  sent(passage: Passage): void;
  received(passage: Passage): void;
  jobEnded(jobId: string): void;
}

/** Nothing is said of less, nor before there is a rate to speak of. */
const TOLD_BYTES = 1e6;
const TOLD_MILLISECONDS = 2000;

/** From here on a job's total is told too. */
const LARGE_BYTES = 100e6;

/** What one kind has come to at one endpoint, since the job began that brought it. */
interface Count {
  readonly since: number;
  bytes: number;
  last: Passage;
}

/** @param note tells the user: once in a session for each kind, and at the end of a job in which much went */
export function travel(note: (text: string) => void): Travel {
  const told = new Set<TravelKind>();
  /** By kind and endpoint. */
  const counts = new Map<string, Count>();
  const totals = new Map<string, { sent: number; received: number }>();

  const tell = ({ last, bytes }: Count) => {
    if (told.has(last.kind) || bytes < TOLD_BYTES) return;
    told.add(last.kind);
    note(announcement(last));
  };
  const count = (passage: Passage) => {
    const { kind, endpoint, bytes } = passage;
    if (told.has(kind)) return;
    const key = `${kind} ${endpoint}`;
    const counted = counts.get(key) ?? { since: Date.now(), bytes: 0, last: passage };
    counts.set(key, counted);
    counted.bytes += bytes;
    counted.last = passage;
    if (Date.now() - counted.since >= TOLD_MILLISECONDS) tell(counted);
  };
  const totalOf = (jobId: string) => {
    const total = totals.get(jobId) ?? { sent: 0, received: 0 };
    totals.set(jobId, total);
    return total;
  };

  return {
    sent(passage) {
      count(passage);
      if (passage.jobId !== undefined) totalOf(passage.jobId).sent += passage.bytes;
    },
    received(passage) {
      count(passage);
      if (passage.jobId !== undefined) totalOf(passage.jobId).received += passage.bytes;
    },
    jobEnded(jobId) {
      for (const counted of counts.values()) tell(counted);
      counts.clear();
      const { sent, received } = totalOf(jobId);
      totals.delete(jobId);
      if (sent + received < LARGE_BYTES) return;
      const ways = [
        ...(sent >= TOLD_BYTES ? [`${megabytes(sent)} went from this machine to its workers`] : []),
        ...(received >= TOLD_BYTES ? [`${megabytes(received)} came from its workers to this machine`] : []),
      ];
      note(`In this job ${ways.join(", and ")}.`);
    },
  };
}

function announcement({ kind, endpoint, url, line: { waited, moved } }: Passage): string {
  const rate = `${megabytes((moved * 1000) / Math.max(waited, 1))}/s`;
  switch (kind) {
    case "input":
      return `Files travel from this machine to ${endpoint}, which does not see them (such as ${url}): ${rate}. Put them on s3:// or in a folder that all machines share.`;
    case "spool":
      return `Files between stages travel through this machine, since ${endpoint} does not see its folder for them: ${rate}. Let pomona.spool.dir name a folder that all machines share.`;
    case "shipped":
      return `What functions bring along travels to ${endpoint}, once, since it does not see this machine's folder for it: ${rate}. Let pomona.spool.dir name a folder that all machines share.`;
    case "output":
      return `What is written travels from ${endpoint}, which does not see ${url} of this machine, to there: ${rate}. Write to s3:// or to a folder that all machines share.`;
  }
}

function megabytes(bytes: number): string {
  const number = bytes / 1e6;
  return `${number >= 100 ? Math.round(number) : number.toFixed(1)} MB`;
}
