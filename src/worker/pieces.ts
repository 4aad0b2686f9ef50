/* A stream in pieces: each is its number of bytes, unsigned with 32 bits, the lowest first, and then these bytes. */

/** The pieces that come. */
export interface Pieces {
  /** The next one; undefined where none comes any more. @throws Error where the stream ends inside of one */
  next(): Promise<Uint8Array | undefined>;
  /** Those before the next empty one, which is taken too. @throws Error where the stream ends before that */
  stream(): AsyncGenerator<Uint8Array, void>;
}

export function piecesOf(source: AsyncIterable<Uint8Array>): Pieces {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);

  /** So many bytes; fewer at the end of all. */
  async function read(bytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = bytes; missing > 0; ) {
      if (rest.byteLength === 0) {
        const { done, value } = await chunks.next();
        if (done) break;
        rest = value;
      }
      const part = rest.subarray(0, missing);
      rest = rest.subarray(part.byteLength);
      missing -= part.byteLength;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async function next(): Promise<Uint8Array | undefined> {
    const head = await read(4);
    if (head.byteLength === 0) return undefined;
    const bytes = head.byteLength < 4 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    const piece = await read(bytes);
    if (head.byteLength < 4 || piece.byteLength < bytes) throw new Error("The input ends inside a piece.");
    return piece;
  }

  return {
    next,
    async *stream() {
      for (;;) {
        const piece = await next();
        if (!piece) throw new Error("The input ends inside a stream.");
        if (piece.byteLength === 0) return;
        yield piece;
      }
    },
  };
}

/** What stands before a piece of so many bytes. */
export function pieceHead(bytes: number): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes);
  return head;
}
