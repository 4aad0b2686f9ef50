import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedEntry, cacheEntry } from "./cache-entry";
import type { S3aParts } from "./releases";
import { runTool } from "./tool";

const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** What Spark has itself, in another version: before its own on the class path, it would take their place. */
const SPARKS =
  /^(slf4j-api|netty-(?!nio-client)|jackson-(?!dataformat-cbor)|commons-codec|commons-logging|httpc|joda-time).*\.jar$/;

const entryOf = ({ hadoop, awssdk }: S3aParts) => `s3a-hadoop-${hadoop}-awssdk-${awssdk}`;

/** The folder of the jars where they have been fetched. */
export const cachedS3aJars = (parts: S3aParts): string | undefined => cachedEntry(entryOf(parts));

/** Fetches the jars of S3A by Maven where they are missing. @returns their folder @throws SparkInstallError, CancelledError */
export function s3aJars(
  parts: S3aParts,
  options: { readonly signal: AbortSignal; readonly note: (text: string) => void },
): Promise<string> {
  const build = async (into: string) => {
    options.note(`Fetching the jars of S3A (once, 20 MB) into ${into}`);
    const pom = join(into, "pom.xml");
    await writeFile(pom, projectOf(parts));
    await runTool("mvn", ["-q", "-B", "-f", pom, COPY, "-DincludeScope=runtime", `-DoutputDirectory=${into}`], options);
    for (const file of [...(await readdir(into)).filter((name) => SPARKS.test(name)), "pom.xml"])
      await rm(join(into, file));
  };
  return cacheEntry(entryOf(parts), build, options);
}

function projectOf({ hadoop, artifacts }: S3aParts): string {
  // What it asks for is in Hadoop's client, or too much.
  const alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";
  const dependency = (artifact: string, more = "") => {
    const [groupId, artifactId, version] = artifact.split(":");
    return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>${more}</dependency>`;
  };
  const isAlone = (artifact: string) => artifact.includes("analyticsaccelerator");
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>pomona</groupId><artifactId>s3a</artifactId><version>1</version>
  <dependencies>
    ${dependency(`org.apache.hadoop:hadoop-aws:${hadoop}`, alone)}
    ${artifacts.map((artifact) => dependency(artifact, isAlone(artifact) ? alone : "")).join("\n    ")}
  </dependencies>
</project>
`;
}
