import { randomBytes } from "node:crypto";
import { type KernelHost, kernelHost } from "../kernel/kernel-host";
import { type MimeBundle, withDisplayId } from "../kernel/mime-bundle";

interface Display {
  readonly displayId: string;
  readonly shown: MimeBundle;
  readonly now: () => MimeBundle;
}

const displays: Display[] = [];
const following = new WeakSet<KernelHost>();

/**
 * Remembers that a widget is displayed in the cell that runs: when the cell ends, its still picture in the output is replaced
 * by the one of that moment, if it looks otherwise by then.
 * @param now makes the widget's bundle
 */
export function followDisplay(now: () => MimeBundle): MimeBundle {
  const shown = now();
  const host = kernelHost();
  if (!host) return shown;
  if (!following.has(host)) {
    following.add(host);
    host.onCellEnd(() => refresh(host));
  }
  const displayId = `pomona-widget-${randomBytes(8).toString("hex")}`;
  displays.push({ displayId, shown, now });
  return withDisplayId(shown, displayId);
}

function refresh(host: KernelHost): void {
  for (const { displayId, shown, now } of displays.splice(0)) {
    const data = now();
    if (data["text/html"] !== shown["text/html"]) host.display({ data, transient: { display_id: displayId } }, true);
  }
}
