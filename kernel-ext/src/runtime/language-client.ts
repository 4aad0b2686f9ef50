import type {
  Content,
  Converted,
  FromLanguage,
  LanguageReply,
  LanguageRequest,
  ToLanguage,
  UnrunCell,
} from "../messages";

/** The language thread, as the thread that runs cells sees it. */
export interface Language {
  /**
   * Compiles a cell in the scope of the committed ones.
   * @param id of the cell, which stays when it is sent again
   * @param importing told of the packages that it imports, before it is compiled
   */
  convert(
    execution: number,
    source: string,
    id: string,
    importing: (packages: readonly string[]) => void,
  ): Promise<Converted>;
  /** A cell was sent that declares nothing. */
  notRun(cell: UnrunCell): void;
  /** What that cell declares is in scope of the next one, but for names that have the values of earlier cells still. */
  commit(execution: number, unchanged: readonly string[]): void;
  /** Prepares the types of the session while nothing else is to be done. */
  warm(): void;
  /** Calls `listener` when the compiler can take a cell. */
  onReady(listener: () => void): void;
  /** What `inspect_request` would answer. */
  inspect(code: string, cursor: number): Promise<Content>;
}

/** The language thread's end here: a `Worker`, or what starts one. */
export interface CompilerThread {
  postMessage(message: ToLanguage): void;
  on(event: "message", listener: (message: FromLanguage) => void): unknown;
}

export function languageClient(worker: CompilerThread): Language {
  const post = (message: ToLanguage) => worker.postMessage(message);
  const conversions = new Map<
    number,
    { done(result: Converted): void; importing(packages: readonly string[]): void }
  >();
  const replies = new Map<number, (reply: LanguageReply) => void>();
  const waiting: (() => void)[] = [];
  let requests = 0;
  /** Told with the next cell: by itself it would wake the thread while the reply to this one is on its way. */
  let committed: { readonly execution: number; readonly unchanged: readonly string[] } | undefined;
  worker.on("message", (message: FromLanguage) => {
    switch (message.op) {
      case "ready":
        for (const listener of waiting) listener();
        break;
      case "importing":
        conversions.get(message.execution)?.importing(message.packages);
        break;
      case "converted":
        conversions.get(message.execution)?.done(message.result);
        conversions.delete(message.execution);
        break;
      case "reply":
        replies.get(message.reply.id)?.(message.reply);
        replies.delete(message.reply.id);
        break;
    }
  });
  return {
    convert(execution, source, id, importing) {
      const result = new Promise<Converted>((done) => conversions.set(execution, { done, importing }));
      post({ op: "convert", execution, source, id, ...(committed === undefined ? {} : { committed }) });
      committed = undefined;
      return result;
    },
    commit(execution, unchanged) {
      committed = { execution, unchanged };
    },
    notRun: (cell) => post({ op: "notRun", cell }),
    warm: () => post({ op: "warm" }),
    onReady: (listener) => void waiting.push(listener),
    async inspect(code, cursor) {
      const request: LanguageRequest = {
        id: ++requests,
        type: "inspect_request",
        content: { code, cursor_pos: cursor, detail_level: 0 },
      };
      const reply = new Promise<LanguageReply>((done) => replies.set(request.id, done));
      post({ op: "request", request });
      return (await reply).content;
    },
  };
}
