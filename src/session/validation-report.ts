import { bytesText, counted, countText } from "../showing/quantities";
import type { LabelCounts } from "./tallies";
import type { VectorScan } from "./vector-scan";

/** What `validate` found. Plain data: it survives JSON. */
export interface ValidationReport {
  /** True where there is no problem. */
  readonly ok: boolean;
  /** One sentence for each thing that is wrong. */
  readonly problems: readonly string[];
  readonly path: string;
  /** What the caller said there must be. */
  readonly expected: { readonly rows?: number; readonly dimension?: number };
  readonly files: number;
  /** Bytes of the part files. */
  readonly bytes: number;
  /** Whether `_SUCCESS` is there; undefined where `path` is one file. */
  readonly success: boolean | undefined;
  readonly rows: number;
  readonly column: string;
  /** Such as `array<float>`. */
  readonly type: string;
  readonly vectors: VectorScan;
  /** Undefined where there is no column `path`. */
  readonly paths: { readonly nulls: number; readonly duplicates: number } | undefined;
  /** Undefined where there is no column `label`. */
  readonly labels: LabelCounts | undefined;
  /** What the writer says of itself in the files, such as the weights used: keys that begin with `pomona.`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A validation report as text, one fact a line, problems last. */
export function formatReport(report: ValidationReport): string {
  const { vectors, paths, labels, expected } = report;
  const success = report.success === undefined ? "" : report.success ? ", _SUCCESS" : ", no _SUCCESS";
  const lines: [string, string][] = [
    ["files", `${counted(report.files, "file")}, ${bytesText(report.bytes)}${success}`],
    ["rows", `${countText(report.rows)}${against(report.rows, expected.rows)}`],
    [report.column, `${report.type}, ${dimensionText(vectors)}${against(vectors.dimension, expected.dimension)}`],
    ["nulls", nullsText(report)],
    ["not finite", counted(vectors.notFinite.rows, "vector")],
  ];
  if (paths) lines.push(["duplicates", counted(paths.duplicates, "path")]);
  if (labels) lines.push(["labels", labelsText(labels)]);
  for (const [key, value] of Object.entries(report.metadata)) lines.push([key, value]);
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  const verdict = report.ok ? "valid" : counted(report.problems.length, "problem");
  return [
    `${report.path}: ${verdict}`,
    ...lines.map(([name, text]) => `  ${name.padEnd(width)}${text}`),
    ...report.problems.map((problem) => `  problem: ${problem}`),
  ].join("\n");
}

function against(found: number | undefined, expected: number | undefined): string {
  if (expected === undefined) return "";
  return found === expected ? " (as expected)" : ` (expected ${countText(expected)})`;
}

function dimensionText({ dimension, wrongDimension }: VectorScan): string {
  if (dimension === undefined) return "no vector";
  const others =
    wrongDimension.rows > 0 ? `, another number than wanted in ${counted(wrongDimension.rows, "row")}` : "";
  return `${countText(dimension)} values${others}`;
}

function nullsText({ vectors, paths, labels }: ValidationReport): string {
  const parts = [counted(vectors.nulls.rows, "vector")];
  if (paths) parts.push(counted(paths.nulls, "path"));
  if (labels) parts.push(counted(labels.nulls, "label"));
  return parts.join(", ");
}

function labelsText({ classes, empty }: LabelCounts): string {
  const counts = classes.map(({ rows }) => rows);
  const many = `${counts.length} ${counts.length === 1 ? "class" : "classes"}`;
  if (counts.length === 0) return many;
  const [least, most] = counts.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Number.POSITIVE_INFINITY, 0]);
  const each = least === most ? `${counted(least, "row")} each` : `${countText(least)} to ${counted(most, "row")} each`;
  return `${many}, ${each}${empty > 0 ? `, ${countText(empty)} empty` : ""}`;
}
