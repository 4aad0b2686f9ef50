import { readFileSync } from "node:fs";
import { IllegalArgumentError, nearest } from "../../errors";
import { Secret } from "../../secret";
import { POSITIVE, type Setting } from "../settings";
import { checkToken, readToken } from "./endpoint-token";
import { baseAddress, parseJupyterMaster } from "./master";

/** One Jupyter server whose machine runs tasks. */
export interface EndpointSettings {
  /** Its base address, without a slash at the end. */
  readonly url: string;
  /** Shown in events, errors and worker names: `host:port`, with the path where there is one. */
  readonly name: string;
  readonly token: Secret | undefined;
  /** Where it is from, for errors: a setting, a variable or a file. Undefined where there is none. */
  readonly tokenFrom: string | undefined;
  /** How many tasks run there at once. @default what its `pomona worker --slots` says, else one for each of its cores */
  readonly slots: number | undefined;
  /** The name of its kernelspec. @default the first that is this package's */
  readonly kernel: string | undefined;
  /** Variables for its workers. */
  readonly env: Readonly<Record<string, string>>;
}

/** The settings that workers behind Jupyter servers have. */
export const JUPYTER_SETTINGS = {
  "pomona.endpoints": {
    default: undefined,
    about:
      "The Jupyter servers of a master jupyter, as JSON, or the file that has it: [{ url, token, tokenFile, slots, kernel, env }].",
    isFixedByStart: true,
  },
  "pomona.endpoints.token": {
    default: undefined,
    about: "Their token, where pomona.endpoints names none. Default: POMONA_ENDPOINT_TOKEN.",
    isFixedByStart: true,
  },
  "pomona.endpoints.leaseSeconds": {
    default: "60",
    about: "How long a kernel on another machine waits for its session: without a sign of it, it ends.",
    value: POSITIVE,
    isFixedByStart: true,
  },
} as const satisfies Record<string, Setting>;

/** The setting with the token of endpoints that have none of their own. */
export const TOKEN_SETTING = "pomona.endpoints.token";

/** How many tasks one machine may run at once. */
export const MOST_SLOTS = 1024;

const KEYS = ["url", "token", "tokenFile", "slots", "kernel", "env"] as const;

/**
 * The servers of a master.
 * @param settings a session's, secrets included
 * @throws IllegalArgumentError and EndpointTokenError, which repeat no token
 */
export function endpointSettings(
  master: string,
  settings: Readonly<Record<string, string | undefined>>,
  variables: NodeJS.ProcessEnv = process.env,
): readonly EndpointSettings[] {
  const general = generalToken(settings, variables);
  const text = settings["pomona.endpoints"];
  const listed =
    text === undefined || text.trim() === "" ? [] : parseEndpoints(text).map((e) => endpointOf(e, general));
  const named = parseJupyterMaster(master);
  if (named.length === 0 && listed.length === 0) {
    throw new IllegalArgumentError('The master "jupyter" needs endpoints, and there are none.', {
      remedy: 'Set pomona.endpoints, such as [{ "url": "http://host:8888" }], or use "jupyter://host:8888".',
    });
  }
  if (named.length === 0) return unique(listed);
  return unique(named.map((url) => listed.find((e) => e.url === url) ?? endpointOf({ url }, general)));
}

/** A token that is not told, and where it is from. */
export interface FoundToken {
  readonly token: string;
  readonly from: string;
}

/** The token of endpoints that have none of their own. */
export function generalToken(
  settings: Readonly<Record<string, string | undefined>>,
  variables: NodeJS.ProcessEnv = process.env,
): FoundToken | undefined {
  const [setting, variable] = [settings[TOKEN_SETTING], variables.POMONA_ENDPOINT_TOKEN];
  if (setting) return { token: setting, from: TOKEN_SETTING };
  return variable ? { token: variable, from: "POMONA_ENDPOINT_TOKEN" } : undefined;
}

/** What a server is called where it is shown. */
export function endpointName(url: string): string {
  return url.replace(/^https?:\/\//, "");
}

function unique(endpoints: readonly EndpointSettings[]): readonly EndpointSettings[] {
  return [...new Map(endpoints.map((endpoint) => [endpoint.url, endpoint])).values()];
}

function parseEndpoints(text: string): readonly Record<string, unknown>[] {
  const isInline = /^\s*[[{]/.test(text);
  const where = isInline ? "pomona.endpoints" : `pomona.endpoints (${text})`;
  let value: unknown;
  try {
    value = JSON.parse(isInline ? text : readFileSync(text, "utf8"));
  } catch (error) {
    // V8 repeats the text around a fault, in which a token may stand.
    const { code } = error as NodeJS.ErrnoException;
    throw new IllegalArgumentError(`${where} ${code === undefined ? "is no JSON" : `can't be read: ${code}`}.`, {
      remedy: 'Write it as [{ "url": "http://host:8888", "slots": 4 }].',
    });
  }
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((each) => typeof each === "object" && each !== null && !Array.isArray(each)))
    throw new IllegalArgumentError(`${where} must be a list of objects, [{ "url": … }].`);
  return list as Record<string, unknown>[];
}

/** One endpoint, as a user writes it. @throws IllegalArgumentError and EndpointTokenError, which repeat no token */
export function endpointOf(
  given: Readonly<Record<string, unknown>>,
  general: FoundToken | undefined,
): EndpointSettings {
  for (const key of Object.keys(given)) {
    if ((KEYS as readonly string[]).includes(key)) continue;
    const near = nearest(key, KEYS)[0];
    throw new IllegalArgumentError(`There is no key ${JSON.stringify(key)} in an endpoint.`, {
      remedy: `${near === undefined ? "" : `Did you mean "${near}"? `}Known: ${KEYS.join(", ")}.`,
    });
  }
  const { slots, env } = given;
  const url = typeof given.url === "string" ? baseAddress(given.url) : undefined;
  if (url === undefined) {
    throw new IllegalArgumentError(
      "An endpoint's url must be the address of a Jupyter server, without a token in it.",
      {
        remedy: 'Such as { "url": "http://host:8888", "token": … }.',
      },
    );
  }
  const name = endpointName(url);
  if (slots !== undefined && !(Number.isInteger(slots) && (slots as number) >= 1 && (slots as number) <= MOST_SLOTS))
    throw new IllegalArgumentError(`slots of endpoint ${name} must be a whole number from 1 to ${MOST_SLOTS}.`);
  if (env !== undefined && !isTexts(env))
    throw new IllegalArgumentError(`env of endpoint ${name} must be an object of texts.`);
  const text = (key: "token" | "tokenFile" | "kernel") => {
    const value = given[key];
    if (value === undefined || (typeof value === "string" && value !== "")) return value;
    throw new IllegalArgumentError(`${key} of endpoint ${name} must be text.`);
  };
  const [own, file] = [text("token"), text("tokenFile")];
  const found =
    own !== undefined
      ? { token: own, from: '"token" of the endpoint' }
      : file === undefined
        ? general
        : { token: readToken(file), from: `"tokenFile" of the endpoint, ${file}` };
  return {
    url,
    name,
    token: found && new Secret(checkToken(found.token, `The token of endpoint ${name}`)),
    tokenFrom: found?.from,
    slots: slots as number | undefined,
    kernel: text("kernel"),
    env: (env ?? {}) as Readonly<Record<string, string>>,
  };
}

function isTexts(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string")
  );
}
