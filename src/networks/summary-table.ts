import { IllegalArgumentError } from "../errors";

/** A table as Python's `rich` draws it in Keras's summaries. */
export interface BoxTable {
  readonly headers: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Where each column ends, as a share of the width. */
  readonly positions: readonly number[];
  readonly alignment: readonly ("left" | "right" | "center")[];
  /** Characters in a line. */
  readonly width: number;
}

/**
 * Draws a table with a line between any two rows.
 * @throws IllegalArgumentError where it is too narrow for its columns
 * @see https://github.com/Textualize/rich/blob/master/rich/table.py
 */
export function boxTable({ headers, rows, positions, alignment, width }: BoxTable): string {
  const widths = columnWidths(positions, width);
  const line = ([left, fill, middle, right]: readonly [string, string, string, string]) =>
    left + widths.map((w) => fill.repeat(w)).join(middle) + right;
  const block = (cells: readonly string[], edge: string, place: "top" | "bottom") => {
    const wrapped = cells.map((cell, i) => wrap(cell, widths[i]! - 2));
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, row) => {
      const texts = wrapped.map((lines, i) => {
        const text = lines[place === "top" ? row : row - (height - lines.length)] ?? "";
        return ` ${align(text, widths[i]! - 2, alignment[i]!)} `;
      });
      return edge + texts.join(edge) + edge;
    });
  };
  const between = line(["├", "─", "┼", "┤"]);
  return [
    line(["┏", "━", "┳", "┓"]),
    ...block(headers, "┃", "bottom"),
    line(["┡", "━", "╇", "┩"]),
    ...rows.flatMap((row, i) => [...(i > 0 ? [between] : []), ...block(row, "│", "top")]),
    line(["└", "─", "┴", "┘"]),
  ].join("\n");
}

/** With the blanks on both sides, without the lines; what is too much for the table goes from each column alike. */
function columnWidths(positions: readonly number[], width: number): number[] {
  const widths: number[] = [];
  let used = 0;
  for (const position of positions) {
    const own = Math.trunc(position * width) - used;
    if (own < 4) {
      throw new IllegalArgumentError(`A summary cannot be printed in ${width} characters.`, {
        remedy: "Give a greater lineLength.",
      });
    }
    widths.push(own + 2);
    used += own;
  }
  const room = width - (positions.length + 1);
  let excess = widths.reduce((sum, own) => sum + own, 0) - room;
  return widths.map((own, i) => {
    const less = Math.min(own, roundHalfEven(excess / (widths.length - i)));
    excess -= less;
    return own - less;
  });
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Breaks between words; a word that is longer than a line ends in an ellipsis. @see rich/_wrap.py divide_line */
function wrap(text: string, width: number): string[] {
  const breaks: number[] = [];
  let offset = 0;
  for (const match of text.matchAll(/\s*\S+\s*/g)) {
    const word = match[0];
    const start = match.index;
    const length = word.trimEnd().length;
    if (width - offset >= length) {
      offset += word.length;
      continue;
    }
    if (start) breaks.push(start);
    offset = word.length;
  }
  return [0, ...breaks].map((from, i) => {
    const line = text.slice(from, breaks[i]).trimEnd();
    return line.length > width ? `${line.slice(0, width - 1)}…` : line;
  });
}

function align(text: string, width: number, alignment: "left" | "right" | "center"): string {
  if (alignment === "left") return text.padEnd(width);
  if (alignment === "right") return text.padStart(width);
  const before = Math.floor((width - text.length) / 2);
  return (" ".repeat(Math.max(0, before)) + text).padEnd(width);
}
