#!/usr/bin/env node
// Gets S3Proxy, the second S3 server of the tests, as a Maven artifact. Prints the path of its jar.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, cacheEntry } from "./cache.mjs";
import { probe, run } from "./processes.mjs";

export const s3proxyVersion = "4.1.0";
const entry = `s3proxy-${s3proxyVersion}`;
const jar = `s3proxy-${s3proxyVersion}-jar-with-dependencies.jar`;
const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/** The jar where it was fetched before, or undefined. */
export function fetchedS3proxy() {
  const folder = cached(entry);
  return folder && join(folder, jar);
}

/** Why it can't be had here, or undefined. */
export function s3proxyProblem() {
  if (fetchedS3proxy()) return undefined;
  if (probe("mvn", ["--version"]) !== undefined) return undefined;
  return `Maven, which fetches S3Proxy ${s3proxyVersion} (an S3 server) once, was not found: install maven.`;
}

/** Fetches it where it is missing: 55 MB in the cache folder. @returns {Promise<string>} the jar */
export async function installS3proxy() {
  const folder = await cacheEntry(entry, async (into) => {
    const problem = s3proxyProblem();
    if (problem) throw new Error(problem);
    console.error(`Fetching S3Proxy ${s3proxyVersion} (once) into ${into}`);
    const artifact = `org.gaul:s3proxy:${s3proxyVersion}:jar:jar-with-dependencies`;
    await run("mvn", ["-q", "-B", plugin, `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`]);
  });
  return join(folder, jar);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installS3proxy());
