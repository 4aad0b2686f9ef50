import type { WorkerMachine } from "../engine/contract";
import type { EngineEvent } from "../engine/events";
import { machineOf } from "../engine/workers";
import { counted } from "../showing/quantities";

/** A machine behind an endpoint, as a job sees it. */
export interface EndpointProgress {
  /** `host:port`. */
  readonly endpoint: string;
  /** `gone` where it was taken away. */
  readonly state: WorkerMachine["state"] | "gone";
  readonly slots: number;
  /** Tasks of the job that run there now, and that are done. */
  readonly running: number;
  readonly done: number;
  /** Whether it was lost while the job ran. */
  readonly wasLost: boolean;
}

/** How many are told by name, those first with which something is wrong. */
const MOST_NAMED = 6;

/** Follows where the tasks of a job run; threads of this process are no endpoints. */
export function endpointTally() {
  const machines = new Map<string, { running: number; done: number; wasLost: boolean }>();
  const of = (worker: string) => {
    const name = machineOf(worker);
    const machine = machines.get(name) ?? { running: 0, done: 0, wasLost: false };
    machines.set(name, machine);
    return machine;
  };
  return {
    apply(event: EngineEvent): void {
      if (event.type === "taskStarted") of(event.worker).running++;
      if (event.type === "taskEnded") {
        of(event.worker).running--;
        if (event.status === "succeeded") of(event.worker).done++;
      }
      if (event.type === "workerLost") of(event.worker).wasLost = true;
    },
    /** @param known those that the engine has now */
    endpoints(known: readonly WorkerMachine[]): EndpointProgress[] {
      const tasks = [...machines.values()].reduce((sum, { running, done }) => sum + running + done, 0);
      if (tasks === 0) return [];
      const none = { running: 0, done: 0, wasLost: false };
      const there = known.map(({ endpoint, state, slots }) => ({
        endpoint,
        state,
        slots,
        ...(machines.get(endpoint) ?? none),
      }));
      const left = [...machines].filter(([name]) => !known.some(({ endpoint }) => endpoint === name));
      return [
        ...there,
        ...left.map(([endpoint, own]) => ({ endpoint, state: "gone" as const, slots: 0, ...own })),
      ].filter(({ endpoint }) => endpoint !== "local");
    },
  };
}

/**
 * `3 endpoints, 3 of 4 slots busy: a:1 2/2; b:2 1/2; c:3 lost` while a job runs, `3 endpoints: a:1 9 tasks; b:2 8 tasks; c:3 7 tasks, lost`
 * at its end; undefined where its tasks run on this machine.
 */
export function endpointsText(endpoints: readonly EndpointProgress[], isRunning: boolean): string | undefined {
  if (endpoints.length === 0) return undefined;
  const ready = endpoints.filter(({ state }) => state === "ready");
  const [slots, busy] = [sum(ready.map((each) => each.slots)), sum(ready.map((each) => each.running))];
  const head = `${counted(endpoints.length, "endpoint")}${isRunning ? `, ${busy} of ${counted(slots, "slot")} busy` : ""}`;
  const isFew = endpoints.length <= MOST_NAMED;
  const wrongFirst = [...endpoints].sort((a, b) => Number(isWrong(b)) - Number(isWrong(a)));
  const named = (isFew ? endpoints : wrongFirst.slice(0, MOST_NAMED)).map((each) => endpointText(each, isRunning));
  const more = isFew ? [] : [`${endpoints.length - MOST_NAMED} more`];
  return `${head}: ${[...named, ...more].join("; ")}`;
}

function endpointText(each: EndpointProgress, isRunning: boolean): string {
  const { endpoint, state, slots, running, done, wasLost } = each;
  const wrong = state !== "ready" ? state : wasLost ? "was lost" : "";
  if (!isRunning) return `${endpoint} ${counted(done, "task")}${wrong ? `, ${wrong}` : ""}`;
  if (state === "ready") return `${endpoint} ${running}/${slots}${wrong ? `, ${wrong}` : ""}`;
  return `${endpoint} ${state}${running > 0 ? `, ${running} running` : ""}`;
}

const isWrong = ({ state, wasLost }: EndpointProgress) => state !== "ready" || wasLost;

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
