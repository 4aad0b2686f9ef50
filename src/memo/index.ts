export { MemoKeyError, MemoValueError } from "./errors";
export { type KeptMemo, type Memo, type MemoOptions, memo } from "./memo";
