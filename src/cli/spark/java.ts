import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { JavaMissingError } from "./errors";
import type { SparkRelease } from "./releases";

export interface Java {
  readonly command: string;
  /** Such as "17.0.15". */
  readonly version: string;
  /** Such as 17; 8 for "1.8.0". */
  readonly major: number;
}

/** The Java that Spark's scripts take: that of JAVA_HOME, else the first on PATH. @returns undefined where there is none that starts */
export async function findJava(): Promise<Java | undefined> {
  const command = javaCommand();
  try {
    const { stdout, stderr } = await promisify(execFile)(command, ["-version"]);
    const version = /version "([^"]+)"/.exec(`${stderr}${stdout}`)?.[1];
    if (version === undefined) return undefined;
    return { command, version, major: Number(/^(?:1\.)?(\d+)/.exec(version)?.[1]) };
  } catch {
    return undefined;
  }
}

/** The Java for a release. @throws JavaMissingError */
export async function javaFor({ version, java: [first, last] }: SparkRelease): Promise<Java> {
  const found = await findJava();
  const wanted = `Spark ${version} needs Java ${first} to ${last}`;
  const remedy = `Install Java 17 (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17), or let JAVA_HOME name one. \`pomona spark start --sail\` needs none.`;
  if (found === undefined)
    throw new JavaMissingError(
      process.env.JAVA_HOME
        ? `${wanted}; JAVA_HOME names none that starts: ${process.env.JAVA_HOME}.`
        : `${wanted}; there is none on PATH that starts.`,
      { remedy },
    );
  if (found.major < first || found.major > last)
    throw new JavaMissingError(`${wanted}; ${found.command} is ${found.version}.`, { remedy });
  return found;
}

const javaCommand = () => (process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java");
