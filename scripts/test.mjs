#!/usr/bin/env node
import { existsSync } from "node:fs";
import { build } from "./build.mjs";
import { runVitest } from "./run-vitest.mjs";
import { installKernelGateway } from "./setup/kernel-gateway.mjs";
import { inRoot } from "./setup/paths.mjs";
import { installPeer } from "./setup/peer.mjs";
import { installRepo2docker } from "./setup/repo2docker.mjs";
import { installS3Peers } from "./setup/s3-peers.mjs";
import { installS3a } from "./setup/s3a.mjs";
import { installS3contents } from "./setup/s3contents.mjs";
import { installS3proxy } from "./setup/s3proxy.mjs";
import { installSparks } from "./setup/spark.mjs";
import { installVersitygw } from "./setup/versitygw.mjs";
import { setup } from "./setup.mjs";

const help = `npm test [-- options for vitest]        everything, after set-up
npm run test:unit [-- options]          all but *.e2e.test.ts, in under a minute; needs no Python once npm packages are there

Ends in the line "N passed, N failed"; exit code 0 only where something passed and nothing failed.`;

/**
 * These share a process for each worker, with modules of their own, since a process for each file takes half of the time; none of
 * them leaves anything behind. The others start servers, kernels and worker threads.
 */
const UNIT = ["--exclude", "**/*.e2e.test.ts", "--no-isolate"];

const args = process.argv.slice(2);
const unit = args[0] === "--unit";
if (args.includes("--help")) console.log(help);
else {
  try {
    await prepare();
    const { passed, failed } = await runVitest(unit ? [...UNIT, ...args.slice(1)] : args);
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  }
}

/** Unit tests need only dist; the others also what set-up makes, the Python that they compare with, and S3 servers. */
async function prepare() {
  if (unit && existsSync(inRoot("node_modules", ".pomona-stamp"))) await build();
  else if (!(await setup()).ready) throw new Error("Set-up failed; no test was run.");
  if (unit) return;
  const ours = [
    installS3proxy(),
    installVersitygw(),
    installS3a(),
    installS3Peers(),
    installS3contents(),
    installSparks(),
  ];
  const made = await Promise.allSettled([installPeer(), installRepo2docker(), installKernelGateway(), ...ours]);
  // A machine without Go, Maven or a fit Python runs all other tests.
  const [peer, repo2docker, gateway, ...servers] = made.map(({ reason }) => reason);
  if (peer ?? repo2docker ?? gateway) throw peer ?? repo2docker ?? gateway;
  for (const reason of servers) if (reason) console.error(`The tests on S3 or Spark will fail: ${reason.message}`);
}
