import { runInNewContext } from "node:vm";

/** Node's own globals, besides those of the language. @see https://nodejs.org/docs/latest-v20.x/api/globals.html */
const NODE_GLOBALS = `
  AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream
  CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream Event EventSource EventTarget File
  FormData Headers MessageChannel MessageEvent MessagePort Navigator Performance PerformanceEntry PerformanceMark
  PerformanceMeasure PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming
  ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder
  TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLSearchParams
  WebAssembly WebSocket WritableStream WritableStreamDefaultController WritableStreamDefaultWriter atob btoa
  clearImmediate clearInterval clearTimeout console crypto fetch global globalThis navigator performance process
  queueMicrotask setImmediate setInterval setTimeout structuredClone
`;

let names: ReadonlySet<string> | undefined;

/** True for a global that every worker has: of the language or of Node, never one that the notebook has set itself. */
export function isWorkerGlobal(name: string): boolean {
  if (!names) {
    // A fresh realm has the language's globals alone, whatever the notebook has added to its own.
    const language = runInNewContext("Object.getOwnPropertyNames(globalThis)") as string[];
    const node = NODE_GLOBALS.split(/\s+/).filter((global) => global in globalThis);
    names = new Set([...language, ...node]);
  }
  return names.has(name);
}
