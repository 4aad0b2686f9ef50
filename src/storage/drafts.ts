import type { Url } from "./location";

/** A file that is written and that nobody sees yet, as plain data: any process may publish it. */
export interface Draft {
  /** Where it will be. */
  readonly url: Url;
  /** Bytes. */
  readonly bytes: number;
  /** What its storage needs to put it there: a temporary file's URL, or an upload's id and parts. */
  readonly token: string;
}

/** Where a draft goes. */
export interface DraftPlace {
  /** Where it will be once it is published. */
  readonly url: Url;
  /** Where it lies until then, on a storage that renames. */
  readonly heldAt: Url;
}

/** The one thing that storages differ in when they commit: some rename a file, some complete an upload. */
export interface Drafts {
  /** Writes a stream; a failure leaves nothing. */
  write(place: DraftPlace, chunks: AsyncIterable<Uint8Array>): Promise<Draft>;
  /** True while it is there, whole, so that `publish` will succeed. */
  isWhole(draft: Draft): Promise<boolean>;
  /** Makes it visible, at once and whole; published already is fine. */
  publish(draft: Draft): Promise<void>;
  /** The drafts below `root`, whoever wrote them, but for those at a temporary place, which is the caller's to remove. */
  unpublished(root: Url): AsyncIterable<UnpublishedDraft>;
}

/** A draft that somebody has begun. */
export interface UnpublishedDraft {
  /** Where it would be. */
  readonly url: Url;
  /** Epoch milliseconds, by the storage's clock. */
  readonly begunAt: number;
  discard(): Promise<void>;
}

/** What drafts on a storage that renames are made of. */
interface Renaming {
  stat(url: Url): Promise<{ readonly size: number } | "folder" | undefined>;
  writeStream(url: Url, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** Renames one file, replacing what is there. */
  rename(from: Url, to: Url): Promise<void>;
}

/** Drafts that lie at their temporary place, whose URL is the token, and are renamed. */
export function renamedDrafts(storage: () => Renaming): Drafts {
  return {
    async write({ url, heldAt }, chunks) {
      return { url, bytes: await storage().writeStream(heldAt, chunks), token: heldAt };
    },
    async isWhole({ token, bytes }) {
      const there = await storage().stat(token as Url);
      return there !== undefined && there !== "folder" && there.size === bytes;
    },
    async publish({ url, token }) {
      // Gone from there: an earlier try has renamed it.
      if ((await storage().stat(token as Url)) !== undefined) await storage().rename(token as Url, url);
    },
    async *unpublished() {},
  };
}
