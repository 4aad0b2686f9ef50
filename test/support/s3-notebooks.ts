import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startJupyterServer } from "./jupyter-server";
import type { S3Access, S3Server } from "./s3-server";

const PYTHON = join(__dirname, "..", "..", "kernel-ext", "python");

/** What the API says of a file or folder. */
export interface ContentsModel {
  readonly name: string;
  readonly path: string;
  readonly type: "directory" | "file" | "notebook";
  readonly content: unknown;
  readonly last_modified: string;
  readonly size: number | null;
  readonly hash?: string;
}

export interface Answer {
  readonly status: number;
  readonly model: ContentsModel;
  /** What an error says. */
  readonly message: string;
}

/** A Jupyter server whose notebooks are in S3, and its contents API. */
export interface NotebookServer extends RunningServer {
  get(path: string, query?: Readonly<Record<string, string>>): Promise<Answer>;
  /** What a folder shows, by name. */
  list(path?: string): Promise<string[]>;
  saveText(path: string, text: string, more?: object): Promise<Answer>;
  ask(method: string, path: string, body?: object): Promise<Answer>;
}

/** Writes a `jupyter-s3-conf.json` for a bucket of a server of the tests. */
export function s3Conf(bucket: string, endpoint: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "pomona-s3-conf-")), "jupyter-s3-conf.json");
  const properties = { "s3.persistence.enabled": "true", "s3.persistence.bucket": bucket };
  const all = { ...properties, "s3.persistence.endpoint": endpoint };
  writeFileSync(file, JSON.stringify([{ Classification: "jupyter-s3-conf", Properties: all }]));
  return file;
}

/** The environment of a server with a user's notebooks in S3, from this checkout's sources. */
export function notebooksEnv(
  s3: S3Server,
  options: { bucket: string; user?: string; endpoint?: string; keys?: Partial<S3Access> },
): Record<string, string> {
  const { bucket, user = "ann", endpoint = s3.endpoint, keys = {} } = options;
  const { AWS_ENDPOINT_URL_S3: _, ...env } = s3.env;
  return {
    ...env,
    AWS_ACCESS_KEY_ID: keys.accessKey ?? s3.accessKey,
    AWS_SECRET_ACCESS_KEY: keys.secretKey ?? s3.secretKey,
    POMONA_S3_CONF: s3Conf(bucket, endpoint),
    POMONA_S3_USER: user,
    PYTHONPATH: join(PYTHON, "src"),
    JUPYTER_CONFIG_PATH: join(PYTHON, "jupyter"),
  };
}

/** Starts a server for a user's notebooks. */
export async function startNotebookServer(
  s3: S3Server,
  options: Parameters<typeof notebooksEnv>[1] & { options?: readonly string[] },
): Promise<NotebookServer> {
  const server = await startJupyterServer({ env: notebooksEnv(s3, options), options: options.options ?? [] });
  return { ...server, ...contentsOf(server) };
}

/** The contents API of a server. */
export function contentsOf(
  server: Pick<RunningServer, "baseUrl" | "token">,
): Omit<NotebookServer, keyof RunningServer> {
  async function ask(method: string, path: string, body?: object, query: Readonly<Record<string, string>> = {}) {
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const url = `${server.baseUrl}api/contents/${encoded}?${new URLSearchParams(query)}`;
    const headers = { authorization: `token ${server.token}` };
    const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await answer.text();
    const model = text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : {};
    return { status: answer.status, model, message: model.message ?? text };
  }
  return {
    ask,
    get: (path, query) => ask("GET", path, undefined, query),
    async list(path = "") {
      const { status, model, message } = await ask("GET", path);
      if (status !== 200) throw new Error(`${path}: ${status} ${message}`);
      return (model.content as ContentsModel[]).map(({ name }) => name).sort();
    },
    saveText: (path, text, more = {}) => ask("PUT", path, { type: "file", format: "text", content: text, ...more }),
  };
}

/** A notebook with one Markdown cell. */
export function notebookOf(text: string): object {
  const cells = [{ cell_type: "markdown", id: "one", metadata: {}, source: text }];
  return { type: "notebook", format: "json", content: { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 } };
}
