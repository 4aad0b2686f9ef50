import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import { storages, type Url } from "../../src/storage";
import { ImpossibleNameError } from "../../src/storage/copy-names";
import { type CopyProgress, copyTree, OverlappingPathsError } from "../../src/storage/copy-tree";
import { PathNotFoundError, StorageAccessError } from "../../src/storage/errors";
import { localStorage } from "../../src/storage/local-storage";
import { memoryStorage } from "../support/memory-storage";

let root: string;
let src: string;
let dst: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pomona-copy-"));
  src = join(root, "src");
  dst = join(root, "dst");
  mkdirSync(src);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string | Uint8Array = path): void {
  mkdirSync(dirname(join(src, path)), { recursive: true });
  writeFileSync(join(src, path), content);
}

/** All files below a folder with their content, hidden ones too. */
function tree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );
}

describe("copyTree", () => {
  it("keeps relative paths, awkward names, empty and hidden files", async () => {
    const names = [
      "Apple Red 1/1_100.jpg",
      "Grape 'white' \"1\"/50%25 #?.jpg",
      "🍎/Äpfel/苹果.jpg",
      "a\\b*[c]{d}.txt",
      "line\nbreak.jpg",
      "empty.jpg",
      "_SUCCESS",
      ".s3keep",
    ];
    for (const name of names) put(name, name === "empty.jpg" ? "" : name);
    const result = await copyTree(src, dst);
    expect(tree(dst)).toEqual(tree(src));
    expect(Object.keys(tree(dst)).sort()).toEqual([...names].sort());
    expect(result).toEqual({ copied: 8, skipped: 0, bytes: Buffer.byteLength(Object.values(tree(src)).join("")) });
  });

  it("copies only what is missing or differs in size", async () => {
    put("a.jpg", "aaaa");
    put("b.jpg", "bbbb");
    put("c.jpg", "cccc");
    await copyTree(src, dst);
    writeFileSync(join(dst, "a.jpg"), "same");
    writeFileSync(join(dst, "b.jpg"), "cut");
    rmSync(join(dst, "c.jpg"));
    expect(await copyTree(src, dst)).toEqual({ copied: 2, skipped: 1, bytes: 8 });
    expect(tree(dst)).toEqual({ "a.jpg": "same", "b.jpg": "bbbb", "c.jpg": "cccc" });
    expect(await copyTree(src, dst, { overwrite: true })).toEqual({ copied: 3, skipped: 0, bytes: 12 });
    expect(tree(dst)).toEqual(tree(src));
  });

  it("reports progress that starts at nothing and ends at the totals", async () => {
    for (let i = 0; i < 40; i++) put(`class ${i % 4}/${i}.jpg`, "x".repeat(i));
    const seen: CopyProgress[] = [];
    await copyTree(src, dst, { progress: (p) => seen.push(p) });
    expect(seen).toHaveLength(41);
    expect(seen[0]).toEqual({ files: 0, totalFiles: 40, bytes: 0, totalBytes: 780 });
    expect(seen.at(-1)).toEqual({ files: 40, totalFiles: 40, bytes: 780, totalBytes: 780 });
    seen.slice(1).forEach((p, i) => {
      expect(p.files).toBe(i + 1);
      expect(p.bytes).toBeGreaterThanOrEqual(seen[i]?.bytes ?? 0);
    });
  });

  it("takes only names that match the glob", async () => {
    for (const name of ["A/1.jpg", "A/2.PNG", "A/3.png", "B/notes.txt", "B/10.jpg"]) put(name);
    await copyTree(src, dst, { glob: "?.{jpg,png}" });
    expect(Object.keys(tree(dst))).toEqual(["A/1.jpg", "A/3.png"]);
    await expect(copyTree(src, dst, { glob: "*.{jpg" })).rejects.toThrow(IllegalArgumentError);
  });

  it("takes only the files named, as paths or URLs", async () => {
    for (const name of ["A/1.jpg", "A/2.jpg", "B/50%25.jpg"]) put(name);
    await copyTree(src, dst, { files: [`file:${src}/A/2.jpg`, join(src, "B/50%25.jpg"), join(src, "A/2.jpg")] });
    expect(Object.keys(tree(dst))).toEqual(["A/2.jpg", "B/50%25.jpg"]);
    await expect(copyTree(src, dst, { files: [join(src, "A/9.jpg")] })).rejects.toThrow(PathNotFoundError);
    await expect(copyTree(src, dst, { files: [join(root, "other.jpg")] })).rejects.toThrow(/does not lie below/);
  });

  it("refuses a destination inside the source, a source inside the destination, and the same folder", async () => {
    put("a.jpg");
    for (const [from, to] of [
      [src, join(src, "copy")],
      [src, root],
      [src, `${src}/`],
      [`file:${src}`, join(src, "..", "src", "x", "y")],
    ] as const) {
      await expect(copyTree(from, to)).rejects.toThrow(OverlappingPathsError);
    }
    // A link is another name of the same folder.
    symlinkSync(src, join(root, "link"));
    await expect(copyTree(src, join(root, "link", "deep"))).rejects.toThrow(OverlappingPathsError);
    expect(readdirSync(src)).toEqual(["a.jpg"]);
    // A name that only begins alike is another folder.
    await copyTree(src, `${src}-2`);
    expect(readdirSync(`${src}-2`)).toEqual(["a.jpg"]);
  });

  it("names a source that is not there, and a destination that is a file", async () => {
    await expect(copyTree(join(root, "nowhere"), dst)).rejects.toThrow(/nowhere/);
    await expect(copyTree(join(root, "nowhere"), dst)).rejects.toThrow(PathNotFoundError);
    put("a.jpg");
    writeFileSync(dst, "");
    await expect(copyTree(src, dst)).rejects.toThrow(/it is a file/);
  });

  it("names the file it cannot read, and leaves no half file", async () => {
    put("A/1.jpg");
    put("A/secret.jpg");
    chmodSync(join(src, "A/secret.jpg"), 0);
    chmodSync(root, 0o777);
    // Root may read everything, so a process without that right does the copy where the test runs as root.
    if (process.getuid?.() === 0) {
      const error = runAsNobody(src, dst);
      expect(error.name).toBe("StorageAccessError");
      expect(error.message).toContain(`Cannot read ${join(src, "A/secret.jpg")}`);
    } else {
      await expect(copyTree(src, dst)).rejects.toThrow(StorageAccessError);
      await expect(copyTree(src, dst)).rejects.toThrow(`Cannot read ${join(src, "A/secret.jpg")}`);
    }
    expect(Object.keys(tree(dst)).filter((name) => name !== "A/1.jpg")).toEqual([]);
  });

  it("stops when aborted, and goes on where it was", async () => {
    const size = 300 * 1024 * 1024;
    put("small.jpg", "small");
    const big = join(src, "big.bin");
    execFileSync("dd", ["if=/dev/zero", `of=${big}`, "bs=1M", "count=300", "status=none"]);
    const controller = new AbortController();
    const copying = copyTree(src, dst, { signal: controller.signal, concurrency: 1 });
    // As soon as a file is begun: on a busy machine none is for a while.
    const watching = setInterval(() => {
      if (existsSync(dst) && readdirSync(dst).some((name) => name !== "small.jpg"))
        controller.abort(new Error("enough"));
    }, 2);
    await expect(copying).rejects.toThrow(CancelledError);
    clearInterval(watching);
    expect(readdirSync(dst).filter((name) => name.endsWith(".tmp") || name === "big.bin")).toEqual([]);

    await copyTree(src, dst);
    expect(statSync(join(dst, "big.bin")).size).toBe(size);
  });

  it("refuses keys that no file can have, all at once and before anything is copied", async () => {
    const long = "é".repeat(128);
    for (const [keys, why] of [
      [["ok.jpg", "a/../../b.jpg"], /the name "\.\.", which is a way to another folder/],
      [["./b.jpg"], /the name "\."/],
      [["ok.jpg", "a//b.jpg", "/abs.jpg"], /an empty name between or beside its slashes\. One more has such a name/],
      [["a/"], /an empty name/],
      [[`a/${long}.jpg`], /has 260 bytes, and file systems take 255/],
      [[`${"abc/".repeat(1100)}b`], /its path would have \d+ bytes/],
      [["a\0b"], /the character 0/],
      [["a", "a/b"], /other files lie below it/],
      [["a/b/c/d", "a/b", "x"], /other files lie below it/],
    ] as const) {
      const s3 = memoryStorage();
      const table = storages({ file: localStorage, s3 });
      for (const key of keys) await s3.writeFile(`s3://fruits/Test/${key}` as Url, "x");
      const copying = copyTree("s3://fruits/Test", dst, { storages: table });
      await expect(copying, keys[0]).rejects.toThrow(ImpossibleNameError);
      await expect(copyTree("s3://fruits/Test", dst, { storages: table })).rejects.toThrow(why);
      expect(readdirSync(root), keys[0]).toEqual(["src"]);
      // In S3 they are names like others.
      if (!keys.some((key) => Buffer.byteLength(key) > 1000)) {
        expect(await copyTree("s3://fruits/Test", "s3://fruits/Other", { storages: table })).toMatchObject({
          copied: keys.length,
        });
        expect(s3.objects.has(`s3://fruits/Other/${keys[0]}` as Url)).toBe(true);
      }
    }
    const s3 = memoryStorage();
    const table = storages({ file: localStorage, s3, s3a: s3 });
    // What is at the destination counts too; and a file of a folder's name is one of many.
    await s3.writeFile("s3://fruits/Test/a/b" as Url, "x");
    mkdirSync(dst);
    writeFileSync(join(dst, "a"), "a file");
    await expect(copyTree("s3://fruits/Test", dst, { storages: table })).rejects.toThrow(/both a file and a folder/);
    put(`${"x".repeat(200)}/${"y".repeat(200)}/${"z".repeat(200)}/a.jpg`);
    const deep = `s3://fruits/${"w".repeat(200)}/${"v".repeat(300)}`;
    await expect(copyTree(src, deep, { storages: table })).rejects.toThrow(/1110 bytes, and S3 takes 1024/);
  });

  it("throws before any work when already aborted", async () => {
    put("a.jpg");
    await expect(copyTree(src, dst, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    expect(() => statSync(dst)).toThrow();
  });

  it("leaves only whole files when the process is killed, and a second run completes the copy", async () => {
    for (let i = 0; i < 400; i++) put(`class ${i % 10}/${i}.jpg`, "y".repeat(20_000 + i));
    const child = spawn(process.execPath, ["-e", bundledCopy("process.kill(process.pid, 'SIGKILL')"), src, dst]);
    expect(await new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)))).toBe("SIGKILL");
    const begun = Object.keys(tree(dst)).length;
    expect(begun).toBeGreaterThanOrEqual(50);
    expect(begun).toBeLessThan(400);
    const source = tree(src);
    for (const [name, content] of Object.entries(tree(dst))) {
      if (!name.endsWith(".tmp")) expect(content === source[name]).toBe(true);
    }
    await copyTree(src, dst);
    const copied = Object.entries(tree(dst)).filter(([name]) => !name.endsWith(".tmp"));
    expect(Object.fromEntries(copied)).toEqual(source);
  });
});

/** A program that copies argv[1] to argv[2], runs `at50` after 50 files, and prints an error as JSON. */
function bundledCopy(at50 = ""): string {
  const { buildSync } = require("esbuild") as typeof import("esbuild");
  const contents = `
    import { copyTree } from "./src/storage/copy-tree";
    const [, from, to] = process.argv;
    copyTree(from, to, { concurrency: 8, progress: ({ files }) => { if (files === 50) { ${at50} } } })
      .catch((error) => process.stdout.write(JSON.stringify({ name: error.name, message: error.message })));`;
  const resolveDir = join(__dirname, "../..");
  const built = buildSync({
    stdin: { contents, resolveDir, loader: "ts" },
    bundle: true,
    platform: "node",
    // Loaded for S3 alone.
    external: ["@aws-sdk/*"],
    write: false,
  });
  return built.outputFiles[0]?.text ?? "";
}

function runAsNobody(from: string, to: string): { name: string; message: string } {
  // Node may lie where nobody else may go, such as below root's home.
  const own = mkdtempSync(join(tmpdir(), "pomona-node-"));
  const node = join(own, "node");
  chmodSync(own, 0o755);
  copyFileSync(process.execPath, node);
  try {
    const output = execFileSync(node, ["-e", bundledCopy(), from, to], { uid: 65534, gid: 65534, cwd: "/" });
    return JSON.parse(output.toString());
  } finally {
    rmSync(own, { recursive: true });
  }
}
