import { PomonaError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col, elementAt, split } from "../frame/functions";
import type { Session } from "../session/session";
import { globPattern } from "../storage/glob";
import { checkedOption } from "./command";

/** No file below the source matches the pattern. */
export class NoImagesError extends PomonaError {
  constructor(src: string, glob: string) {
    super(`There is no image in ${src}: no file name matches ${glob}.`, {
      remedy: "Check the path, or say which files are images with --glob.",
    });
  }
}

/** The files below a folder whose names match, each with its folder's name as `label`. @throws UsageError */
export function imagesBelow(session: Session, src: string, glob: string): DataFrame {
  checkedOption("glob", () => globPattern(glob));
  return session.read
    .format("binaryFile")
    .option("pathGlobFilter", glob)
    .option("recursiveFileLookup", true)
    .load(src)
    .withColumn("label", elementAt(split(col("path"), "/"), -2));
}
