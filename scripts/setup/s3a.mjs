#!/usr/bin/env node
// Gets the jars by which Spark reads and writes S3 (S3A), as Maven artifacts. Prints the path of their folder.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { probe, run } from "./processes.mjs";

/** That of the Hadoop in PySpark 4.3.0. */
const hadoop = "3.5.0";
const awssdk = "2.35.4";
const accelerator = "1.3.1";
const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** What hadoop-aws asks for is the whole AWS SDK, 686 MB; these parts of it are what S3A uses, 14 MB. */
const parts = ["s3", "s3-transfer-manager", "sts", "apache-client"];

/** What Spark has itself, in another version. */
const sparks = /^(slf4j-api|netty-(?!nio-client)).*\.jar$/;

const dependency = (group, artifact, version, exclude = "") =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${exclude}</dependency>`;

const everything = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";

const project = () => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>pomona</groupId><artifactId>s3a</artifactId><version>1</version>
  <dependencies>
    ${dependency("org.apache.hadoop", "hadoop-aws", hadoop, everything)}
    ${dependency("software.amazon.s3.analyticsaccelerator", "analyticsaccelerator-s3", accelerator, everything)}
    ${parts.map((part) => dependency("software.amazon.awssdk", part, awssdk)).join("\n    ")}
  </dependencies>
</project>
`;

/** Fetches them where they are missing. @returns {Promise<string>} their folder */
export async function installS3a() {
  return cacheEntry(`s3a-hadoop-${hadoop}-awssdk-${awssdk}`, async (into) => {
    if (probe("mvn", ["--version"]) === undefined) {
      throw new Error("Maven, which fetches the jars of S3A once, was not found: install maven.");
    }
    console.error(`Fetching the jars of S3A (once) into ${into}`);
    const pom = join(into, "pom.xml");
    writeFileSync(pom, project());
    await run("mvn", ["-q", "-B", "-f", pom, plugin, "-DincludeScope=runtime", `-DoutputDirectory=${into}`]);
    for (const file of readdirSync(into)) if (sparks.test(file)) rmSync(join(into, file));
    rmSync(pom);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3a());
