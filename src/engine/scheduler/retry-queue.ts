/** How many waiting tasks are looked at for one worker. */
const LOOK = 64;

const HOLE = -1;

/** Tasks to try again, oldest first. */
export interface RetryQueue {
  readonly size: number;
  /** When the oldest came. */
  readonly oldest: number | undefined;
  push(task: number, now: number): void;
  /** The place of the task with the least score among the oldest ones; undefined where none has a finite one. */
  best(score: (task: number, since: number) => number): number | undefined;
  taskAt(place: number): number;
  remove(place: number): void;
}

export function retryQueue(): RetryQueue {
  let tasks: number[] = [];
  let since: number[] = [];
  let head = 0;
  let size = 0;
  return {
    get size() {
      return size;
    },
    get oldest() {
      return size === 0 ? undefined : since[head];
    },
    push(task, now) {
      tasks.push(task);
      since.push(now);
      size++;
    },
    best(score) {
      let found: number | undefined;
      let least = Number.POSITIVE_INFINITY;
      for (let place = head, seen = 0; place < tasks.length && seen < LOOK; place++) {
        const task = tasks[place]!;
        if (task === HOLE) continue;
        seen++;
        const its = score(task, since[place]!);
        if (its < least) [found, least] = [place, its];
      }
      return found;
    },
    taskAt: (place) => tasks[place]!,
    remove(place) {
      tasks[place] = HOLE;
      size--;
      while (head < tasks.length && tasks[head] === HOLE) head++;
      // Holes are taken out when they are most of it, so that a task costs the same however many wait.
      if (tasks.length - size > size + LOOK) {
        since = since.filter((_, i) => tasks[i] !== HOLE);
        tasks = tasks.filter((task) => task !== HOLE);
        head = 0;
      }
    },
  };
}
