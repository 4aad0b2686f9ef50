import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { escapeHtml } from "../kernel/mime-bundle";
import { bytesText, countText } from "../showing/quantities";
import type { Place } from "../storage";
import { announceServer } from "./known-server";
import { type LogFiles, logAt, logsIn, summaries } from "./logs";
import { page, reportPage, reportUpdate } from "./report-page";
import { dateText } from "./report-text";
import { type RunState, runReport, runsStill, stateOf } from "./run-report";
import type { RunFacts } from "./run-tally";
import { logFollower } from "./session-report";

/** Pages of runs, on this machine alone. */
export interface HistoryServer {
  /** With the token: what a browser opens first. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Runs on the first page. */
const LISTED = 100;

interface FollowedRun {
  readonly follow: ReturnType<typeof logFollower>;
  update: Update | undefined;
}

interface Update {
  readonly facts: RunFacts;
  readonly state: RunState;
  /** Another one for each content. */
  readonly tag: string;
  readonly json: string;
}

/** Runs that are followed at once; the others are read anew. */
const FOLLOWED = 8;

/**
 * Serves the runs in a folder on 127.0.0.1: a list, and each run's report, which refreshes itself while the run goes on. Who has
 * not opened `url` once, which has the token in it, sees nothing.
 * @param port 0 for any that is free
 */
export async function historyServer(folder: Place, port: number): Promise<HistoryServer> {
  const token = randomBytes(24).toString("hex");
  const runs = new Map<string, FollowedRun>();
  let updates = 0;
  let boundPort = port;
  const cookie = () => `pomona-history-${boundPort}`;

  const followed = ({ id }: LogFiles): FollowedRun => {
    const run = runs.get(id) ?? { follow: logFollower(folder.storage), update: undefined };
    runs.delete(id);
    runs.set(id, run);
    for (const other of [...runs.keys()].slice(0, -FOLLOWED)) runs.delete(other);
    return run;
  };

  /** What a page asks for; made once for each state of a run, however many pages ask. */
  async function updateOf(log: LogFiles): Promise<Update> {
    const run = followed(log);
    const facts = await run.follow(log);
    const state = stateOf(facts);
    if (run.update?.facts !== facts || run.update.state !== state) {
      run.update = { facts, state, tag: `"${++updates}"`, json: JSON.stringify(reportUpdate(runReport(facts))) };
    }
    return run.update;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "text/plain", "Only GET.");
    // A page elsewhere whose name was made to mean this machine would come with its own name.
    if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? "")) {
      return send(response, 403, "text/plain", "This server is for 127.0.0.1.");
    }
    const given = url.searchParams.get("token");
    if (given !== null && isSame(given, token)) {
      response.setHeader("Set-Cookie", `${cookie()}=${token}; HttpOnly; SameSite=Lax; Path=/`);
      response.setHeader("Location", url.pathname);
      return send(response, 303, "text/plain", "");
    }
    if (!isSame(cookieOf(request, cookie()) ?? "", token)) return send(response, 403, "text/html", LOCKED);
    const [, kind, name = "", rest] = url.pathname.split("/");
    if (url.pathname === "/") return send(response, 200, "text/html", await listPage(folder));
    const log = kind === "run" ? await logAt(folder, decodeURIComponent(name)) : undefined;
    if (!log)
      return send(
        response,
        404,
        "text/html",
        page({ title: "No run", main: '<p>There is no such run. <a href="/">All runs</a></p>' }),
      );
    if (rest === "update") {
      const { tag, json } = await updateOf(log);
      response.setHeader("ETag", tag);
      if (request.headers["if-none-match"] === tag) return send(response, 304, "application/json", "");
      return send(response, 200, "application/json", json);
    }
    const facts = await followed(log).follow(log);
    const refreshFrom = `/run/${encodeURIComponent(log.id)}/update`;
    const above = '<div class="top"><a href="/">← All runs</a></div>';
    return send(response, 200, "text/html", reportPage(facts, { refreshFrom, above }));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) send(response, 500, "text/plain", text);
      else response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
  const address = server.address();
  if (typeof address === "object" && address) boundPort = address.port;
  const forget = announceServer({ folder: folder.url, port: boundPort });
  return {
    url: `http://127.0.0.1:${boundPort}/?token=${token}`,
    port: boundPort,
    async close() {
      forget();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
  });
  response.end(body);
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([key]) => key === name)?.[1];
}

const LOCKED = page({
  title: "Runs",
  main: `<header><h1>Runs</h1></header><section><p>This page needs the token that <code>pomona history serve</code> has printed: open its link once, or give the token here.</p>
<form method="get"><input name="token" type="password" autocomplete="off" aria-label="Token"> <button>Open</button></form></section>`,
});

async function listPage(folder: Place): Promise<string> {
  const logs = await logsIn(folder);
  const runs = await summaries(folder, logs.slice(0, LISTED));
  const rows = runs.map(({ id, about, endedAt, counts, bytes }) => {
    const state = endedAt !== undefined ? "ended" : runsStill(about);
    const start = about ? dateText(about.startedAt) : "";
    const cells = [
      countText(counts.jobs),
      counts.failedJobs > 0 ? countText(counts.failedJobs) : "",
      countText(counts.tasks),
      countText(counts.rows),
      bytesText(bytes),
    ];
    return `<tr><td><a href="/run/${encodeURIComponent(id)}">${escapeHtml(id)}</a></td><td class="long">${escapeHtml(about?.appName ?? "")}</td><td class="master">${escapeHtml(about?.master ?? "")}</td><td>${start}</td><td><span class="badge ${state.replace(" ", "-")}">${state === "unknown" ? "no end" : state}</span></td>${cells.map((cell) => `<td class="number">${cell}</td>`).join("")}</tr>`;
  });
  const head = ["run", "application", "master", "started", ""].map((name) => `<th>${name}</th>`).join("");
  const numbers = ["jobs", "failed", "tasks", "rows", "log"].map((name) => `<th class="number">${name}</th>`).join("");
  const left = logs.length - runs.length;
  const note = left > 0 ? `<p class="note">${countText(left)} more; pomona history list shows them.</p>` : "";
  const table =
    rows.length > 0
      ? `<div class="scroll"><table><thead><tr>${head}${numbers}</tr></thead><tbody>${rows.join("")}</tbody></table></div>${note}`
      : "<p>No run yet: each session that runs a job leaves one.</p>";
  // Not by loading the page again, which would undo a click on a run whose page takes a while.
  const refresh = `setInterval(function () {
    fetch("/", { cache: "no-store" }).then(function (answer) { return answer.ok ? answer.text() : Promise.reject(); }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
      document.querySelector("main").innerHTML = fresh.innerHTML;
    }).catch(function () {});
  }, 10000);`;
  return page({
    title: "Runs",
    main: `<header><h1>Runs</h1><p class="sub">${escapeHtml(folder.url)}</p></header><section>${table}</section>`,
    scripts: [refresh],
  });
}
