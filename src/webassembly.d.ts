/**
 * The part of the WebAssembly JavaScript interface that is used here: TypeScript declares it only for browsers.
 * @see https://webassembly.github.io/spec/js-api/
 */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}
