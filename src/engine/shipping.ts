import { stat } from "node:fs/promises";
import { type ShippedFile, sha256Of } from "../data/shipped-file";
import { joinUrl, type Storages, type Url } from "../storage";
import { fileUrl } from "../storage/location";

/** What is shipped: bytes, or a file that has them. */
export type ShippedContent = Uint8Array | { readonly path: string; readonly sha256: string };

/**
 * What a shipped content is there for, such as a function or a job: any object. The content stays until its last owner is collected
 * or released.
 */
export interface Owner {
  /** Calls back where its contents are to go although it is there. */
  onRelease?(listener: () => void): void;
}

/** Puts contents where workers fetch them, under names made of what they hold: the same content is there once. */
export interface Shipping {
  ship(content: ShippedContent, ...owners: readonly Owner[]): Promise<ShippedFile>;
  /** Takes an owner away from what it owns. */
  release(owner: Owner): void;
}

/** What an owner owns: apart from it, so that who knows this does not keep the owner. */
type Owned = Set<string>;

interface Entry {
  readonly file: Promise<ShippedFile>;
  readonly owners: Set<Owned>;
}

/**
 * @param folder where contents lie
 * @param forget tells the workers of a content that is no longer there
 * @param workersElsewhere whether they see that folder, but not every file that is here
 */
export function shipping(
  folder: Url,
  storages: Storages,
  forget: (file: ShippedFile) => void,
  workersElsewhere = false,
): Shipping {
  const storage = storages.for(folder);
  const isHere = folder.startsWith("file:") && !workersElsewhere;
  /** By sha256. */
  const entries = new Map<string, Entry>();
  /** What is being removed: the same content, shipped again, is written after that. */
  const leaving = new Map<string, Promise<void>>();
  const ownedBy = new WeakMap<Owner, Owned>();
  const collected = new FinalizationRegistry<Owned>(disown);

  const ownedOf = (owner: Owner): Owned => {
    const known = ownedBy.get(owner);
    if (known) return known;
    const owned: Owned = new Set();
    ownedBy.set(owner, owned);
    collected.register(owner, owned);
    owner.onRelease?.(() => disown(owned));
    return owned;
  };

  function disown(owned: Owned): void {
    for (const sha256 of owned) {
      const entry = entries.get(sha256);
      entry?.owners.delete(owned);
      if (entry?.owners.size === 0) remove(sha256, entry);
    }
    owned.clear();
  }

  function remove(sha256: string, { file }: Entry): void {
    entries.delete(sha256);
    const gone = file
      .then(async (shipped) => {
        forget(shipped);
        await storage.remove(shipped.url as Url);
      })
      // What was never written, or can't be removed, goes with the folder.
      .catch(() => {})
      .then(() => {
        if (leaving.get(sha256) === gone) leaving.delete(sha256);
      });
    leaving.set(sha256, gone);
  }

  async function written(sha256: string, content: ShippedContent): Promise<ShippedFile> {
    await leaving.get(sha256);
    const bytes = "path" in content ? await storages.at(content.path).storage.readFile(fileUrl(content.path)) : content;
    const url = joinUrl(folder, `shipped-${sha256}`);
    await storage.writeFile(url, bytes);
    return { url, sha256, bytes: bytes.byteLength };
  }

  return {
    async ship(content, ...owners) {
      // Workers on this machine read a file where it is.
      if ("path" in content && isHere) {
        const { path, sha256 } = content;
        return { url: fileUrl(path), sha256, bytes: (await stat(path)).size };
      }
      const sha256 = "path" in content ? content.sha256 : sha256Of(content);
      let entry = entries.get(sha256);
      if (!entry) {
        entry = { file: written(sha256, content), owners: new Set() };
        entries.set(sha256, entry);
      }
      for (const owner of owners) {
        const owned = ownedOf(owner);
        owned.add(sha256);
        entry.owners.add(owned);
      }
      try {
        return await entry.file;
      } catch (error) {
        // Whoever ships it next tries anew.
        if (entries.get(sha256) === entry) entries.delete(sha256);
        throw error;
      }
    },
    release(owner) {
      const owned = ownedBy.get(owner);
      if (owned) disown(owned);
    },
  };
}
