/** Rows below a header, in columns as wide as they need. @param right how many columns, from the right, have numbers */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], right: number): string {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i < row.length - right ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}
