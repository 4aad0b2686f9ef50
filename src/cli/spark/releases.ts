/** What `--version` takes: those that EMR runs. */
export type SparkLine = "4.0" | "3.5";

/** A release of Spark, from PyPI, with all that its Python side needs. */
export interface SparkRelease {
  readonly version: string;
  /** As `pip install` takes them; together they are all that is installed. */
  readonly packages: readonly string[];
  /** The Java versions that it runs on, the first and the last. */
  readonly java: readonly [number, number];
  /** What S3A is made of for the Hadoop in it. */
  readonly s3a: S3aParts;
  /** Whether Spark Connect listens on every address, since it has no setting for one. */
  readonly listensEverywhere?: boolean;
  /** Spark Connect, as a Maven artifact, where the package is without it. */
  readonly connect?: string;
}

/** The jars by which Hadoop reads and writes S3. */
export interface S3aParts {
  readonly hadoop: string;
  /** The version of the AWS SDK, and its Maven artifacts as `group:artifact:version`. */
  readonly awssdk: string;
  readonly artifacts: readonly string[];
}

/** For the Python workers, and for PySpark's own client. */
const PYTHON_SIDE = [
  "googleapis-common-protos==1.76.0",
  "grpcio==1.85.3",
  "grpcio-status==1.85.3",
  "numpy==1.26.4",
  "pandas==2.3.3",
  "protobuf==7.36.2",
  "pyarrow==19.0.1",
  "python-dateutil==4.0.0",
  "pytz==2026.6",
  "typing_extensions==4.16.0",
  "tzdata==2026.6",
] as const;

/** What hadoop-aws asks for is the whole AWS SDK, 686 MB; these parts of it are what S3A uses, 14 MB. */
const AWS_SDK = "2.35.4";
const sdkParts = ["s3", "s3-transfer-manager", "sts", "apache-client"].map(
  (part) => `software.amazon.awssdk:${part}:${AWS_SDK}`,
);

/** The S3A of a Hadoop that has the second AWS SDK. */
export const HADOOP_3_5: S3aParts = {
  hadoop: "3.5.0",
  awssdk: AWS_SDK,
  artifacts: ["software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3:1.3.1", ...sdkParts],
};

export const RELEASES: Readonly<Record<SparkLine, SparkRelease>> = {
  "4.0": {
    version: "4.0.2",
    packages: ["pyspark==4.0.2", "py4j==0.10.9.9", ...PYTHON_SIDE],
    java: [17, 22],
    s3a: { hadoop: "3.4.1", awssdk: AWS_SDK, artifacts: sdkParts },
  },
  "3.5": {
    version: "3.5.6",
    packages: ["pyspark==3.5.6", "py4j==0.10.9.7", ...PYTHON_SIDE],
    java: [8, 17],
    s3a: {
      hadoop: "3.3.4",
      awssdk: "1.12.262",
      artifacts: ["s3", "sts", "dynamodb"].map((part) => `com.amazonaws:aws-java-sdk-${part}:1.12.262`),
    },
    listensEverywhere: true,
    connect: "org.apache.spark:spark-connect_2.12:3.5.7",
  },
};

/** Sail speaks Spark Connect without Java. */
export const SAIL = {
  version: "0.7.2",
  packages: ["pysail==0.7.2", "pyspark-client==4.0.2", ...PYTHON_SIDE],
  lacks:
    "no artifacts, no progress, no details of errors; paths are without a scheme, and part files are named otherwise",
} as const;
