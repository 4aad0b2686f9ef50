import { PomonaError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col, elementAt, split } from "../frame/functions";
import { IMAGE_EXTENSIONS } from "../image/format";
import type { Session } from "../session/session";
import { globPattern } from "../storage/glob";
import { baseName } from "../storage/location";
import { checkedOption } from "./command";

/** The names of images, as `--glob` takes them. */
export const IMAGES_GLOB = `*.{${IMAGE_EXTENSIONS.join(",")}}`;

/** No file below the source matches the pattern. */
export class NoImagesError extends PomonaError {
  constructor(src: string, glob: string, passedOver: PassedOver) {
    const there = passedOver.files > 0 ? ` ${passedOver.files} files are there: ${inWords(passedOver)}.` : "";
    super(`There is no image in ${src}: no file name matches ${glob}.${there}`, {
      remedy: "Check the path, or say which files are images with --glob.",
    });
  }
}

/** Files that are no images by their names: how many, and of each ending. */
export interface PassedOver {
  readonly files: number;
  /** By ending in lower case with its dot; an empty one for names without. */
  readonly byExtension: Readonly<Record<string, number>>;
}

/**
 * The files below a folder whose names match in any case of letters, each with its folder's name as `label`.
 * @throws UsageError
 */
export function imagesBelow(session: Session, src: string, glob: string): DataFrame {
  checkedOption("glob", () => globPattern(glob));
  return filesBelow(session, src, anyCase(glob)).withColumn("label", elementAt(split(col("path"), "/"), -2));
}

/** The other files below that folder. */
export async function passedOver(
  session: Session,
  src: string,
  glob: string,
  options: { readonly signal: AbortSignal },
): Promise<PassedOver> {
  const matches = globPattern(anyCase(glob));
  const rows = (await filesBelow(session, src, "*").select("path").collect(options)) as { path: string }[];
  const names = rows.map(({ path }) => baseName(path)).filter((name) => !matches.test(name));
  const byExtension: Record<string, number> = {};
  for (const name of names) {
    const extension = /(?<=.)\.[^.]*$/.exec(name)?.[0].toLowerCase() ?? "";
    byExtension[extension] = (byExtension[extension] ?? 0) + 1;
  }
  return { files: names.length, byExtension };
}

/** A line that tells of them; undefined where there are none. */
export function passedOverNote(passed: PassedOver): string | undefined {
  if (passed.files === 0) return undefined;
  return `Note: ${passed.files} files were passed over, which are no images by their names: ${inWords(passed)}.`;
}

function inWords({ byExtension }: PassedOver): string {
  const most = Object.entries(byExtension).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = most.slice(0, 10).map(([extension, count]) => `${count} ${extension || "without an ending"}`);
  return [...shown, ...(most.length > 10 ? [`${most.length - 10} other endings`] : [])].join(", ");
}

function filesBelow(session: Session, src: string, glob: string): DataFrame {
  return session.read
    .format("binaryFile")
    .option("pathGlobFilter", glob)
    .option("recursiveFileLookup", true)
    .load(src) as unknown as DataFrame;
}

/** The pattern with each letter in both cases; what stands in brackets or behind a backslash stays. */
function anyCase(glob: string): string {
  return glob.replace(/\\.|\[[^\]]+\]|\p{L}/gu, (part) => {
    const [lower, upper] = [part.toLowerCase(), part.toUpperCase()];
    const isLetter = [...part].length === 1 && lower !== upper && [...lower].length === 1 && [...upper].length === 1;
    return isLetter ? `[${lower}${upper}]` : part;
  });
}
