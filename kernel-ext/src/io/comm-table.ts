import type { Content } from "../messages";

/** The comms that are open, whichever side opened them. */
export interface CommTable {
  /** Takes note of a `comm_open` or `comm_close`; other messages are let pass. */
  note(type: string, content: Content): void;
  /** The content of a `comm_info_reply`. */
  answer(request: Content): Content;
}

export function commTable(): CommTable {
  const targets = new Map<string, string>();
  return {
    note(type, { comm_id, target_name }) {
      if (typeof comm_id !== "string") return;
      if (type === "comm_open" && typeof target_name === "string") targets.set(comm_id, target_name);
      if (type === "comm_close") targets.delete(comm_id);
    },
    answer({ target_name }) {
      const wanted = [...targets].filter(([, target]) => typeof target_name !== "string" || target === target_name);
      return { status: "ok", comms: Object.fromEntries(wanted.map(([id, target]) => [id, { target_name: target }])) };
    },
  };
}
