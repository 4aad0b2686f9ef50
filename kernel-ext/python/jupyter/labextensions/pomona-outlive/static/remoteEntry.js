// The pages' side of pomona_jupyter.outlive: a notebook shows what its cells have shown while no page, or another one, looked on, and goes on
// with it. JupyterLab and Notebook 7 load this file as it is (a prebuilt extension): it imports nothing, so nothing has to be bundled.
(() => {
  /** How long a cell has to run until its notebook is saved: what is not in the file can't be shown there later. */
  const SAVE_AFTER_MS = 2000;

  const plugin = {
    id: "pomona-outlive:plugin",
    description: "Shows what a cell printed while no page was open, and what it prints on.",
    autoStart: true,
    activate(app) {
      const createNew = (panel, context) => follow(panel, context, app.serviceManager.serverSettings);
      app.docRegistry.addWidgetExtension("Notebook", { createNew });
    },
  };

  /** Follows one notebook of a page. Returns what ends it, as a widget extension must. */
  function follow(panel, context, settings) {
    const { sessionContext } = panel;
    /** What is shown for the server, by the execution's id. */
    const shown = new Map();
    let line;
    let busy;

    const connect = () => {
      line?.close();
      const kernel = sessionContext.session?.kernel;
      line = kernel ? openLine({ kernel, context, settings, hear, running }) : undefined;
    };
    /** The executions of the cells that stand at [*]. */
    const running = () =>
      panel.content.widgets
        .filter(({ model, outputArea }) => model.executionState === "running" && outputArea?.future)
        .map(({ outputArea }) => outputArea.future.msg.header.msg_id);
    const hear = (message, say) => {
      if (message.type === "written") return noteWritten(context, message.file);
      quietly(context, () => {
        if (message.type === "show") show(message, say);
        else if (message.type === "output") shown.get(message.id)?.take(message.message);
        else if (message.type === "state") shown.get(message.id)?.become(message);
        else if (message.type === "lost") giveUp(panel.content.widgets, message.ids);
      });
    };
    const show = (message, say) => {
      const cell = panel.content.widgets.find(({ model }) => model.type === "code" && model.id === message.cell);
      const answer = (value) => {
        const { dirty } = context.model;
        say({ type: "input", id: message.id, value });
        // JupyterLab notes the answer as an output, in a moment; so does the server.
        setTimeout(() => {
          context.model.dirty = dirty;
        });
      };
      if (cell) shown.set(message.id, showExecution(cell, message, answer));
    };
    const onStatus = () => {
      clearTimeout(busy);
      if (sessionContext.session?.kernel?.status === "busy") busy = setTimeout(saveRunning, SAVE_AFTER_MS);
    };
    const saveRunning = () => {
      // What another page runs is that page's to save.
      const isRunning = panel.content.widgets.some(
        ({ model, outputArea }) => model.executionState === "running" && !outputArea.future?.isShown,
      );
      if (isRunning && context.model.dirty && context.contentsModel?.writable) void context.save().catch(() => {});
    };
    const onFile = () => line?.say({ type: "mark", mark: markOf(context) });
    const end = () => {
      clearTimeout(busy);
      sessionContext.kernelChanged.disconnect(connect);
      sessionContext.statusChanged.disconnect(onStatus);
      context.fileChanged.disconnect(onFile);
      line?.say({ type: "bye" });
      line?.close();
    };
    void Promise.all([context.ready, panel.revealed]).then(() => {
      if (panel.isDisposed) return;
      sessionContext.kernelChanged.connect(connect);
      sessionContext.statusChanged.connect(onStatus);
      context.fileChanged.connect(onFile);
      panel.disposed.connect(end);
      connect();
    });
    return { isDisposed: false, dispose() {} };
  }

  /** The line to the server for one kernel, opened again whenever it is lost. */
  function openLine({ kernel, context, settings, hear, running }) {
    const token = settings.appendToken && settings.token ? `?token=${encodeURIComponent(settings.token)}` : "";
    const url = `${settings.wsUrl}api/pomona/outlive/${encodeURIComponent(kernel.id)}${token}`;
    let socket;
    let isClosed = false;
    let isBack = false;
    let failures = 0;
    let timer;
    let isLost = false;
    const say = (message) => {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    };
    const open = () => {
      socket = new settings.WebSocket(url);
      socket.onopen = () => {
        failures = 0;
        const hello = { path: context.localPath, mark: markOf(context), session: kernel.clientId };
        say({ type: "hello", ...hello, isBack, running: isBack ? running() : [] });
        isBack = true;
      };
      socket.onmessage = ({ data }) => {
        if (!isClosed) hear(JSON.parse(data), say);
      };
      socket.onclose = () => {
        failures += 1;
        // A server without the extension never answers.
        if (isClosed || (!isBack && failures > 3)) return;
        timer = setTimeout(open, Math.min(30_000, 500 * 2 ** failures));
      };
    };
    // Its end may have been on its way when the connection to the kernel was lost, and this line was not.
    const onConnection = (_, status) => {
      if (status === "connected" && isLost) say({ type: "back", running: running() });
      isLost = status !== "connected";
    };
    kernel.connectionStatusChanged.connect(onConnection);
    open();
    return {
      say,
      close() {
        isClosed = true;
        kernel.connectionStatusChanged.disconnect(onConnection);
        clearTimeout(timer);
        socket.close();
      },
    };
  }

  /** Puts an execution into its cell as if the page had run it. */
  function showExecution(cell, message, answer) {
    const { model, outputArea } = cell;
    let asked;
    const future = futureOf(message, (value) => {
      asked = undefined;
      answer(value);
    });
    const take = ({ type, content }) => {
      if (!future.isDisposed) void future.onIOPub({ ...envelope(type, message.id), channel: "iopub", content });
    };
    const become = ({ status, count, input }) => {
      if (future.isDisposed) return;
      const isOver = status === "ended";
      model.executionCount = isOver ? count : null;
      // Where another future was given up, JupyterLab sets this once more on its own, a moment later.
      const state = isOver ? "idle" : "running";
      model.executionState = state;
      setTimeout(() => {
        if (!future.isDisposed && outputArea.future === future) model.executionState = state;
      });
      if (input?.header.msg_id !== asked) {
        if (asked !== undefined) removePrompt(outputArea);
        asked = input?.header.msg_id;
        if (input)
          void future.onStdin({ ...input, channel: "stdin", metadata: {}, parent_header: { msg_id: message.id } });
      }
      if (isOver) future.end(count);
    };
    model.trusted = true;
    outputArea.future = future;
    for (const output of message.outputs) take(output);
    become(message);
    return { take, become };
  }

  /** The requests to run these cells were lost on their way to the kernel: the cells have not run. */
  function giveUp(cells, ids) {
    for (const { model, outputArea } of cells) {
      const future = outputArea?.future;
      if (model.executionState !== "running" || !ids.includes(future?.msg.header.msg_id)) continue;
      future.dispose();
      model.executionState = "idle";
    }
  }

  /** What an output area listens to, in the place of the future of a request that another page sent. */
  function futureOf({ id }, answer) {
    let resolve;
    const done = new Promise((settle) => {
      resolve = settle;
    });
    const ignore = () => {};
    return {
      msg: envelope("execute_request", id),
      done,
      isDisposed: false,
      isShown: true,
      onIOPub: ignore,
      onReply: ignore,
      onStdin: ignore,
      registerMessageHook: ignore,
      removeMessageHook: ignore,
      sendInputReply: ({ value }) => answer(value),
      end: (count) => resolve({ ...envelope("execute_reply", id), content: { status: "ok", execution_count: count } }),
      dispose() {
        this.isDisposed = true;
        this.onIOPub = this.onReply = this.onStdin = ignore;
      },
    };
  }

  function envelope(type, parent) {
    const header = { msg_id: `${parent}-shown`, msg_type: type, session: "", username: "", version: "5.3", date: "" };
    return { header, parent_header: { msg_id: parent }, metadata: {}, buffers: [] };
  }

  function removePrompt(outputArea) {
    for (const widget of [...outputArea.widgets]) if (widget.hasClass("jp-OutputArea-stdin-item")) widget.dispose();
  }

  /** The server saves what it tells: the page has nothing more to save than before. */
  function quietly(context, change) {
    const { dirty } = context.model;
    change();
    context.model.dirty = dirty;
  }

  /** The server saved the file on top of what this page has: a save of the page is no conflict. */
  function noteWritten(context, file) {
    context._updateContentsModel?.({ ...context.contentsModel, ...file });
  }

  function markOf({ contentsModel }) {
    return contentsModel?.hash ?? contentsModel?.last_modified;
  }

  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB["pomona-outlive"] = {
    init() {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
