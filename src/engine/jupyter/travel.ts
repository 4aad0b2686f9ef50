/** What travels: files that are read, files between stages and what is shipped, parts of an output. */
export type TravelKind = "input" | "spool" | "output";

/** Bytes that went between this machine and an endpoint. */
export interface Passage {
  readonly endpoint: string;
  readonly kind: TravelKind;
  /** The file, or where its folder will be. */
  readonly url: string;
  /** Absent for what all jobs need. */
  readonly jobId: string | undefined;
  readonly bytes: number;
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

/** What one kind has come to, since the job began that brought it. */
interface Count {
  readonly since: number;
  readonly endpoint: string;
  readonly url: string;
  bytes: number;
}

/** @param note tells the user: once in a session for each kind, and at the end of a job in which much went */
export function travel(note: (text: string) => void): Travel {
  const told = new Set<TravelKind>();
  const counts = new Map<TravelKind, Count>();
  const totals = new Map<string, { sent: number; received: number }>();

  const tell = (kind: TravelKind, count: Count) => {
    told.add(kind);
    note(announcement(kind, count, Date.now() - count.since));
  };
  const count = ({ kind, endpoint, url, bytes }: Passage) => {
    if (told.has(kind)) return;
    const counted = counts.get(kind) ?? { since: Date.now(), endpoint, url, bytes: 0 };
    counts.set(kind, counted);
    counted.bytes += bytes;
    if (counted.bytes >= TOLD_BYTES && Date.now() - counted.since >= TOLD_MILLISECONDS) tell(kind, counted);
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
      for (const [kind, counted] of counts) if (!told.has(kind) && counted.bytes >= TOLD_BYTES) tell(kind, counted);
      counts.clear();
      const { sent, received } = totalOf(jobId);
      totals.delete(jobId);
      if (sent + received < LARGE_BYTES) return;
      note(
        `In this job ${megabytes(sent)} went from this machine to its workers, and ${megabytes(received)} came from them.`,
      );
    },
  };
}

function announcement(kind: TravelKind, { bytes, endpoint, url }: Count, milliseconds: number): string {
  const rate = `${megabytes((bytes * 1000) / Math.max(milliseconds, 1))}/s`;
  switch (kind) {
    case "input":
      return `Files travel from this machine to ${endpoint}, which does not see them (such as ${url}): ${rate}. Put them on s3:// or in a folder that all machines share.`;
    case "spool":
      return `Files between stages travel through this machine, since ${endpoint} does not see its folder for them: ${rate}. Let pomona.spool.dir name a folder that all machines share.`;
    case "output":
      return `What is written travels from ${endpoint} to this machine, since that does not see the folder (of ${url}): ${rate}. Write to s3:// or to a folder that all machines share.`;
  }
}

function megabytes(bytes: number): string {
  const number = bytes / 1e6;
  return `${number >= 100 ? Math.round(number) : number.toFixed(1)} MB`;
}
