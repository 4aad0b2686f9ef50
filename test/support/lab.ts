import type { Browser, Locator, Page } from "playwright-core";
import { type RunningServer, startJupyterServer } from "./jupyter-server";

/** Starts JupyterLab over a folder, such that {@link kernelReady} can look into it. */
export function startLab(folder: string, env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  return startJupyterServer({ app: "lab", folder, options: ["--expose-app-in-browser"], env });
}

/** Opens a notebook in JupyterLab, with every address but the server's blocked, and waits until its cells are there. */
export async function openInLab(browser: Browser, lab: RunningServer, notebook: string, height = 1700): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1300, height } });
  page.setDefaultTimeout(120_000);
  await page.route(/.*/, (route) =>
    new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort(),
  );
  await page.goto(`${lab.baseUrl}lab/tree/${encodeURIComponent(notebook)}?token=${lab.token}&reset`);
  await labCell(page, 0).waitFor({ timeout: 120_000 });
  return page;
}

/** A code cell of the notebook that is open. */
export function labCell(page: Page, i: number): Locator {
  return page.locator(".jp-Notebook .jp-CodeCell").nth(i);
}

/** What `--expose-app-in-browser` shows, of which this is the part that is looked at. */
interface JupyterApp {
  readonly shell: {
    readonly currentWidget: {
      readonly context?: { readonly isReady: boolean };
      readonly sessionContext?: {
        readonly isReady: boolean;
        readonly session: {
          readonly kernel: { readonly status: string; readonly connectionStatus: string } | null;
        } | null;
      };
    } | null;
  };
}

/** Waits until the notebook is put together and its kernel lets cells run, which is later than its indicator says so. */
export async function kernelReady(page: Page, timeout = 120_000): Promise<void> {
  await page.waitForFunction(
    () => {
      const { jupyterapp } = globalThis as unknown as { readonly jupyterapp?: JupyterApp };
      const { context, sessionContext } = jupyterapp?.shell.currentWidget ?? {};
      const kernel = sessionContext?.session?.kernel;
      const isConnected = kernel?.connectionStatus === "connected" && kernel.status === "idle";
      return context?.isReady && sessionContext?.isReady && isConnected;
    },
    undefined,
    { timeout },
  );
}

/** Waits until the notebook's indicator shows that. */
export async function kernelShown(page: Page, status: "idle" | "busy"): Promise<void> {
  await page.locator(`.jp-Notebook-ExecutionIndicator[data-status="${status}"]`).waitFor({ timeout: 120_000 });
}

/** Runs a cell by its keys. */
export async function runLabCell(page: Page, i: number): Promise<void> {
  await labCell(page, i).locator(".cm-content").click();
  await page.keyboard.press("Control+Enter");
}
