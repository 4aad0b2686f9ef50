import { PathNotFoundError } from "../../storage";
import { PathAlreadyExistsError } from "../../storage/commit";
import { SparkAnalysisError, SparkConnectError } from "./errors";
import { errorFromSpark } from "./executor-errors";

/** What every engine has an error of its own for, in place of Spark's general one. @param stage what workers did, for messages */
export function sameError(error: unknown, stage?: string): unknown {
  if (!(error instanceof SparkAnalysisError || error instanceof SparkConnectError)) return error;
  const told = errorFromSpark(`${error.details ?? ""}\n${error.message}`, stage || undefined);
  if (told) return told;
  const { errorClass, message, messageParameters } = error;
  const path = messageParameters.path ?? messageParameters.outputPath ?? "";
  switch (errorClass) {
    case "PATH_ALREADY_EXISTS":
      return new PathAlreadyExistsError(message);
    case "PATH_NOT_FOUND":
      return new PathNotFoundError(message, path);
    default:
      return error;
  }
}
