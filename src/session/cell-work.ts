import type { RecordBatch } from "apache-arrow";
import type { Engine } from "../engine/contract";
import { kernelHost } from "../kernel/kernel-host";

/** An engine that tells the notebook's kernel of its work, so that a cell ends after what it started and did not await. */
export function withCellWork(engine: Engine): Engine {
  const told = <T>(work: Promise<T>): Promise<T> => {
    const host = kernelHost();
    if (!host?.onWork) return work;
    host.onWork(work);
    // One of its own: the kernel's look at the other counts as handling its rejection.
    return work.then((result) => result);
  };
  /** Row by row, since who reads may stop in between. */
  const batches = (from: AsyncIterable<RecordBatch>): AsyncIterable<RecordBatch> => ({
    [Symbol.asyncIterator]() {
      const iterator = from[Symbol.asyncIterator]();
      return { next: () => told(iterator.next()), return: () => told(ended(iterator)) };
    },
  });
  return Object.create(engine, {
    schema: method((...given: Parameters<Engine["schema"]>) => told(engine.schema(...given))),
    explain: method((...given: Parameters<Engine["explain"]>) => told(engine.explain(...given))),
    execute: method((...given: Parameters<Engine["execute"]>) => batches(engine.execute(...given))),
    partitions: method((...given: Parameters<Engine["partitions"]>) => told(engine.partitions(...given))),
    write: method((...given: Parameters<Engine["write"]>) => told(engine.write(...given))),
    onDriver: method((...given: Parameters<Engine["onDriver"]>) => told(engine.onDriver(...given))),
    broadcast: method((...given: Parameters<Engine["broadcast"]>) => told(engine.broadcast(...given))),
    unpersist: method((...given: Parameters<Engine["unpersist"]>) => told(engine.unpersist(...given))),
  }) as Engine;
}

async function ended(iterator: AsyncIterator<RecordBatch>): Promise<IteratorResult<RecordBatch>> {
  return (await iterator.return?.()) ?? { done: true, value: undefined };
}

function method(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, writable: true, configurable: true };
}
