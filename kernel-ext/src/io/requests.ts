import type { ConnectionInfo, Content, ExecuteContent } from "../messages";

/** The content of an `execute_request` with what is left out filled in; a string says what is wrong with it. */
export function executeContent(content: Content): ExecuteContent | string {
  const { code, silent, store_history, user_expressions, allow_stdin, stop_on_error } = content;
  if (typeof code !== "string") return "execute_request needs `code`, a string";
  return {
    code,
    silent: silent === true,
    store_history: store_history !== false && silent !== true,
    user_expressions: expressions(user_expressions),
    allow_stdin: allow_stdin === true,
    stop_on_error: stop_on_error !== false,
  };
}

/** The content of a request about a piece of code; a string says what is wrong with it. */
export function codeContent(type: string, content: Content): Content | string {
  const { code, cursor_pos } = content;
  if (typeof code !== "string") return `${type} needs \`code\`, a string`;
  return { ...content, code, cursor_pos: Number.isInteger(cursor_pos) ? cursor_pos : [...code].length };
}

/** What is wrong with a comm message. */
export function commProblem(type: string, { comm_id, target_name }: Content): string | undefined {
  if (typeof comm_id !== "string") return `${type} needs \`comm_id\`, a string`;
  if (type === "comm_open" && typeof target_name !== "string") return `${type} needs \`target_name\`, a string`;
  return undefined;
}

/** The content of a `connect_reply`, which names the ports. */
export function connectContent({ shell_port, iopub_port, stdin_port, control_port, hb_port }: ConnectionInfo): Content {
  return { status: "ok", shell_port, iopub_port, stdin_port, control_port, hb_port };
}

export function errorReply(ename: string, evalue: string): Content {
  return { status: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
}

function expressions(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
