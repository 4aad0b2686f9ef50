import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** How long it may take to answer. */
const ANSWER_MILLISECONDS = 3_000;

/**
 * Whether what listens at an http address speaks TLS, or at an https address none. It is told nothing, and may have any certificate.
 * @param url of a server that did not answer as its address says
 */
export function speaksOther(url: string, signal?: AbortSignal): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const over = AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(ANSWER_MILLISECONDS)]);
  return new Promise((resolve) => {
    const end = (does: boolean) => {
      over.removeEventListener("abort", onOver);
      socket.destroy();
      resolve(does);
    };
    const onOver = () => end(false);
    let socket: Socket;
    if (protocol === "http:") {
      socket = connectTls({ host, port: Number(port || 80), rejectUnauthorized: false }, () => end(true));
    } else {
      socket = connectPlain({ host, port: Number(port || 443) }, () => socket.write("HEAD / HTTP/1.0\r\n\r\n"));
      // By 400 servers with TLS tell who speaks none.
      socket.once("data", (data) => end(/^HTTP\/\S+ (?!400)/.test(data.toString("latin1"))));
    }
    socket.on("error", () => end(false)).on("close", () => end(false));
    over.addEventListener("abort", onOver, { once: true });
  });
}
