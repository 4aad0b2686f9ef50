import { AsyncByteQueue, type RecordBatch, RecordBatchStreamWriter, type Schema } from "apache-arrow";

/**
 * What a writer of Arrow's stream format makes, chunk by chunk. Arrow's own ways to join them (`tableToIPC`) take neighbouring chunks
 * in the same memory for one, which breaks a batch that has a column twice.
 */
export class StreamChunks extends AsyncByteQueue {
  /** Those that were made since the last call. */
  take(): Uint8Array[] {
    return this._values.splice(0) as Uint8Array[];
  }
}

/** Batches in Arrow's stream format. @param schema theirs; without a batch it is all there is */
export function ipcStream(batches: readonly RecordBatch[], schema: Schema): Uint8Array {
  const chunks = new StreamChunks();
  const writer = new RecordBatchStreamWriter();
  writer.reset(chunks, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return Buffer.concat(chunks.take());
}
