import { escapeHtml } from "../kernel/mime-bundle";

/** A table for a notebook. All texts are plain; they are escaped here. */
export interface HtmlTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the pointer over a column's name tells, such as its type. */
  readonly titles?: readonly string[];
  /** Which columns are aligned to the right, as numbers are. */
  readonly right?: readonly boolean[];
  /** A line below the table. */
  readonly note?: string;
}

/**
 * A table in the colours of the page it stands in: JupyterLab's, light or dark, and plain ones elsewhere. Where a front end
 * takes its style away, because the notebook is not trusted, the table is still one.
 */
export function htmlTable({ header, rows, titles, right, note }: HtmlTable): string {
  const align = (column: number) => (right?.[column] ? ' class="pomona-number"' : "");
  const title = (column: number) => (titles?.[column] ? ` title="${escapeHtml(titles[column])}"` : "");
  const head = header.map((name, j) => `<th${align(j)}${title(j)}>${escapeHtml(name)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell, j) => `<td${align(j)}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const below = note === undefined ? "" : `<p class="pomona-note">${escapeHtml(note)}</p>`;
  return `<div class="pomona-output">${STYLE}<table class="pomona-table"><thead><tr>${head}</tr></thead>
<tbody>${body.join("\n")}</tbody></table>${below}</div>`;
}

/** Names and values in two columns; an address becomes a link. */
export function htmlFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const body = facts.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${linked(value)}</td></tr>`);
  return `<div class="pomona-output">${STYLE}<table class="pomona-table"><tbody>${body.join("\n")}</tbody></table></div>`;
}

function linked(value: string): string {
  const text = escapeHtml(value);
  return /^https?:\/\/\S+$/.test(value) ? `<a href="${text}" target="_blank" rel="noopener">${text}</a>` : text;
}

const BORDER = "1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.4))";

/** With JupyterLab's variables; their fallbacks stand out on white and on black. */
const STYLE = `<style>
.pomona-output { overflow-x: auto; color: var(--jp-content-font-color1, inherit); }
.pomona-output table.pomona-table { border-collapse: collapse; border: none; margin: 0; font-size: var(--jp-ui-font-size1, 13px); }
.pomona-output .pomona-table th, .pomona-output .pomona-table td { text-align: left; vertical-align: top; padding: 3px 10px; border: none; border-bottom: ${BORDER}; white-space: pre-wrap; max-width: 40em; overflow-wrap: anywhere; }
.pomona-output .pomona-table th { font-weight: 600; white-space: nowrap; }
.pomona-output .pomona-table .pomona-number { text-align: right; font-variant-numeric: tabular-nums; }
.pomona-output .pomona-note { margin: 4px 0 0; font-size: var(--jp-ui-font-size1, 13px); opacity: 0.75; }
</style>`;
