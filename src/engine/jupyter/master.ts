import { IllegalArgumentError } from "../../errors";

/** The masters of this engine, for remedies. */
export const JUPYTER_MASTERS =
  'Or "jupyter://host:8888,host2:8888" (workers behind Jupyter servers; "jupyters://" by TLS), or "jupyter" with pomona.endpoints.';

/** True for the masters that this engine takes, right or wrong. */
export function isJupyterMaster(master: string): boolean {
  return /^jupyters?(?:$|:)/.test(master);
}

/**
 * The base addresses of the servers that a master names, such as `http://host:8888`; none for `jupyter`, whose servers
 * `pomona.endpoints` lists.
 * @throws IllegalArgumentError, which repeats nothing of a master that may hold a secret
 */
export function parseJupyterMaster(master: string): readonly string[] {
  if (master === "jupyter") return [];
  const match = /^jupyter(s?):\/\/(.+)$/.exec(master);
  if (/[@?#]/.test(master)) {
    throw new IllegalArgumentError("A token or password is no part of a master URL, which is shown and logged.", {
      remedy: "Put the token into POMONA_ENDPOINT_TOKEN, pomona.endpoints.token or pomona.endpoints.",
    });
  }
  if (!match) throw wrong(master);
  const protocol = `http${match[1]}`;
  return match[2]!.split(",").map((server) => {
    const address = baseAddress(`${protocol}://${server.trim()}`);
    if (address === undefined || server.trim() === "") throw wrong(master);
    return address;
  });
}

/** An http address without a slash at its end; undefined for what is none. */
export function baseAddress(text: string): string | undefined {
  if (!/^https?:\/\/[^/\s]/i.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, host, pathname, search, hash, username, password } = new URL(text);
  if (search || hash || username || password) return undefined;
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

function wrong(master: string): IllegalArgumentError {
  return new IllegalArgumentError(`${JSON.stringify(master)} is not a master URL.`, {
    remedy:
      'Use "jupyter://host:8888", several as "jupyter://host:8888,host2:8888", "jupyters://…" for servers with TLS.',
  });
}
