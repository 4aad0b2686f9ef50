import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects what nothing refers to any more, and lets those who wait for that know. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    // A promise's own references last until the next turn.
    await new Promise((done) => setTimeout(done, 5));
    gc();
  }
  await new Promise((done) => setTimeout(done, 20));
}
