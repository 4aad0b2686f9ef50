import type { ShippedFile } from "../data/shipped-file";
import type { FileStatus, Url } from "../storage";
import type { RemoteError } from "./task";

/** Bytes of a file in one message: on a line of 50 KB/s a beat behind it comes 5 s late, and 15 s without one are a loss. */
export const PIECE_BYTES = 256 * 1024;

/** What a worker asks of the files of its driver's machine. An upload is a file that is written, by a name that is its own. */
export type FileRequest =
  | { readonly op: "stat"; readonly url: Url }
  /** The bytes from `start` to before `end`, of which there are at most {@link PIECE_BYTES}. */
  | { readonly op: "read"; readonly url: Url; readonly start: number; readonly end: number }
  /** With a piece of an upload, which begins at byte `at`; answered when there is room for another one. */
  | { readonly op: "write"; readonly upload: string; readonly url: Url; readonly at: number }
  /** The upload is whole; answered when the file is there. */
  | { readonly op: "finish"; readonly upload: string; readonly url: Url }
  | { readonly op: "discard"; readonly upload: string };

/** @property status of the file that was read or written, or what `stat` found: null where there is nothing */
export type FileAnswer =
  | { readonly status: FileStatus | "folder" | null }
  | { readonly failed: RemoteError & { readonly url: string } };

/** An answer with the bytes that were read. */
export interface Answered {
  readonly answer: FileAnswer;
  readonly piece?: Uint8Array | undefined;
}

/** Asks the driver's machine. @param piece what is written */
export type AskFiles = (request: FileRequest, piece?: Uint8Array) => Promise<Answered>;

/** Messages from a thread to its host, beside those to the driver. */
export type ThreadRequest =
  | { readonly type: "files"; readonly id: number; readonly request: FileRequest; readonly piece?: Uint8Array }
  /** Asks for this machine's copy of what the driver ships. */
  | { readonly type: "copy"; readonly id: number; readonly file: ShippedFile };

/** Answers from a host to its thread. */
export type ThreadAnswer =
  | ({ readonly type: "files"; readonly id: number } & Answered)
  /** @property path of the copy */
  | { readonly type: "copy"; readonly id: number; readonly path: string }
  | { readonly type: "copy"; readonly id: number; readonly failed: RemoteError };
