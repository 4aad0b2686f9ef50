import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, Group, File as H5WasmFile } from "h5wasm";

/** A group of an HDF5 file. */
export interface H5Group {
  /** The group of that name in this one; undefined if there is none. */
  group(name: string): H5Group | undefined;
  /** An attribute that is a list of texts; undefined if there is none. */
  attribute(name: string): string[] | undefined;
  /** An attribute that is one text; undefined if there is none. */
  text(name: string): string | undefined;
  /** A dataset of numbers, by its path in this group; undefined if there is none. */
  float32(name: string): { readonly shape: readonly number[]; readonly values: Float32Array } | undefined;
}

export interface H5File extends Pick<H5Group, "group"> {
  readonly root: H5Group;
  close(): void;
}

/** Opens an HDF5 file for reading. @throws Error if it is none */
export async function openH5(path: string): Promise<H5File> {
  const { File, ready } = h5wasm();
  // Else the library prints what is wrong, and gives a file that has nothing in it.
  (await ready).activate_throwing_error_handler();
  const file = new File(path, "r") as H5WasmFile;
  const root = groupOf(file);
  return { root, group: root.group, close: () => void file.close() };
}

function groupOf(group: Group): H5Group {
  const entity = (name: string) => {
    try {
      return group.get(name);
    } catch {
      return null; // h5wasm throws where a part of the path is missing
    }
  };
  return {
    group(name) {
      const found = entity(name);
      return found && "keys" in found ? groupOf(found as Group) : undefined;
    },
    attribute(name) {
      const value: unknown = group.attrs[name]?.value;
      return Array.isArray(value) ? value.map(String) : undefined;
    },
    text(name) {
      const value: unknown = group.attrs[name]?.value;
      return typeof value === "string" ? value : undefined;
    },
    float32(name) {
      const found = entity(name);
      if (!found || !("shape" in found)) return undefined;
      const { value, shape } = found as Dataset;
      if (!ArrayBuffer.isView(value) || value instanceof DataView || !shape) return undefined;
      return { shape, values: Float32Array.from(value as Float32Array | Float64Array) };
    },
  };
}

type H5Wasm = typeof import("h5wasm");

let loaded: H5Wasm | undefined;

/**
 * h5wasm is an ES module whose package.json lets it only be imported, and TypeScript turns `import()` into `require()` in
 * CommonJS output. Node requires ES modules too, but by their file.
 */
function h5wasm(): H5Wasm {
  if (!loaded) {
    const file = (require.resolve.paths("h5wasm") ?? [])
      .map((folder) => join(folder, "h5wasm", "dist", "node", "hdf5_hl.js"))
      .find((path) => existsSync(path));
    if (!file) throw new Error("The package h5wasm is not installed.");
    loaded = require(file) as H5Wasm;
  }
  return loaded;
}
