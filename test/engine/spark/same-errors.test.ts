import { expect, it } from "vitest";
import { SparkConnectError } from "../../../src/engine/spark/errors";
import { sameError } from "../../../src/engine/spark/same-errors";
import { PathNotFoundError, StorageAccessError } from "../../../src/storage";

/** What Spark 4.0.2 with S3A 3.4.1 said of a server without keys, of one that refuses them, and what Hadoop says of a bucket and a folder. */
it.each([
  [
    "java.nio.file.AccessDeniedException: s3a://bkt/x: org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by TemporaryAWSCredentialsProvider SimpleAWSCredentialsProvider",
    StorageAccessError,
    "s3a://bkt/x",
    "Spark may not use s3a://bkt/x: it has no credentials.",
  ],
  [
    "org.apache.hadoop.fs.s3a.AWSBadRequestException: getFileStatus on s3a://bkt/x: software.amazon.awssdk.services.s3.model.S3Exception: Bad Request (Service: S3, Status Code: 400, Request ID: OF):null: Bad Request",
    StorageAccessError,
    "s3a://bkt/x",
    "Spark may not use s3a://bkt/x: it is refused (HTTP 400).",
  ],
  [
    "org.apache.hadoop.fs.s3a.UnknownStoreException: `s3a://nowhere/x': Bucket does not exist",
    PathNotFoundError,
    "s3a://nowhere/x",
    "s3a://nowhere/x: there is no such bucket.",
  ],
  [
    'org.apache.hadoop.security.AccessControlException: Permission denied: user=spark, access=WRITE, inode="hdfs://nn:8020/data"',
    StorageAccessError,
    "hdfs://nn:8020/data",
    "Spark may not use hdfs://nn:8020/data: it is refused.",
  ],
])("%s", (details, ErrorClass, url, message) => {
  const error = sameError(
    new SparkConnectError("Job aborted.", {
      details: `org.apache.spark.SparkException: Job aborted.\n\tat a.B.c(D.scala:1)\nCaused by: ${details}\n\tat a.B.c(D.scala:2)`,
    }),
  );
  expect(error).toBeInstanceOf(ErrorClass);
  expect((error as StorageAccessError).url).toBe(url);
  expect((error as Error).message.split("\n")[0]).toBe(message);
});

it("leaves other errors as they are", () => {
  const error = new SparkConnectError("s3a://bkt/x has 400 rows too many", { details: "no AccessDenied of a store" });
  expect(sameError(error)).toBe(error);
});
