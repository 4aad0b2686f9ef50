import { PathNotFoundError, StorageAccessError } from "../../storage";
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
      return refusal(error.details ?? message) ?? error;
  }
}

/** What Hadoop's file systems raise where who asks may not, and S3 where it knows neither key nor signature, or takes no other region's. */
const REFUSED =
  /\b(?:NoAuthWithAWSException|AccessDeniedException|AccessControlException|CredentialInitializationException)\b|S3Exception: .*Status Code: (?:400|401|403)\b/;
const NO_BUCKET = /\bUnknownStoreException\b/;
/** Such as `s3a://bucket/key` or `file:/data`, as it stands before or behind what went wrong. */
const PLACE = /\b(?:[a-z][a-z0-9+.-]*:\/\/[^\s`'",]+|file:\/[^\s`'",]+)/;

/** @param details Spark's error with its causes and their frames */
function refusal(details: string): Error | undefined {
  const line = details
    .split("\n")
    .find((text) => !text.startsWith("\tat ") && (REFUSED.test(text) || NO_BUCKET.test(text)));
  if (line === undefined) return undefined;
  const place = PLACE.exec(line)?.[0].replace(/:$/, "");
  if (place === undefined) return undefined;
  if (NO_BUCKET.test(line)) {
    return new PathNotFoundError(`${place}: there is no such bucket.`, place, {
      remedy: "Check its name, and fs.s3a.endpoint where it is not on AWS.",
    });
  }
  const isS3 = place.startsWith("s3");
  const status = /Status Code: (\d+)/.exec(line)?.[1];
  const why = line.includes("NoAuthWithAWSException")
    ? "it has no credentials"
    : status
      ? `it is refused (HTTP ${status})`
      : "it is refused";
  return new StorageAccessError(`Spark may not use ${place}: ${why}.`, place, {
    remedy: isS3
      ? "Set fs.s3a.access.key and fs.s3a.secret.key (and fs.s3a.endpoint, fs.s3a.endpoint.region) before the first use of the bucket: the server keeps what it was told first (docs/spark.md)."
      : "It is the user that Spark's server and executors run as who needs the right.",
  });
}
