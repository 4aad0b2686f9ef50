import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/engine/scheduler/clock";
import { DEFAULT_POLICY, policyOf, type SchedulerPolicy } from "../../src/engine/scheduler/policy";
import { IllegalArgumentError } from "../../src/errors";
import { RuntimeConfig } from "../../src/session/configuration";

type Value = string | number | boolean;

/** The policy of a session with these settings. */
function policyWith(settings: Readonly<Record<string, Value>>): SchedulerPolicy {
  const conf = new RuntimeConfig();
  for (const [key, value] of Object.entries(settings)) conf.set(key, value);
  return policyOf((key) => conf.get(key));
}

const FAILURES = "spark.task.maxFailures";
const TIMEOUT = "spark.network.timeout";
const UNSCHEDULABLE = "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout";
const SPECULATION = "spark.speculation";

it("is the usual one where nothing is set", () => {
  expect(policyWith({})).toEqual(DEFAULT_POLICY);
});

it("has second attempts where tasks run on other machines, unless they are refused", () => {
  const elsewhere = { "spark.master": "jupyter://host:8888" };
  const speculation = { quantile: 0.5, multiplier: 3, minRuntime: 1_000, interval: 100 };
  expect(policyWith(elsewhere)).toEqual({ ...DEFAULT_POLICY, speculation });
  expect(policyWith({ ...elsewhere, [SPECULATION]: false })).toEqual(DEFAULT_POLICY);
});

it("is not told as changed where it is the default of other machines", () => {
  const conf = new RuntimeConfig();
  conf.setAll([["spark.master", "jupyter://host:8888"]]);
  expect(conf.changed()).toEqual([{ name: "spark.master", value: "jupyter://host:8888", usual: "local[*]" }]);
  conf.set(SPECULATION, false);
  expect(conf.changed()).toContainEqual({ name: SPECULATION, value: "false", usual: "true" });
});

describe("a setting reaches the policy", () => {
  it.each<[string, Value, Partial<SchedulerPolicy>]>([
    [FAILURES, 1, { maxFailures: 1, maxLosses: 1, workerLosses: 8 }],
    [FAILURES, "20", { maxFailures: 20, maxLosses: 20, workerLosses: 21 }],
    [FAILURES, "2147483647", { maxFailures: 2147483647 }],
    [TIMEOUT, "30s", { silence: 30_000 }],
    [TIMEOUT, 45, { silence: 45_000 }],
    [TIMEOUT, "500ms", { silence: 500 }],
    [TIMEOUT, " 2 min ", { silence: 120_000 }],
    [TIMEOUT, "3m", { silence: 180_000 }],
    [TIMEOUT, "1H", { silence: 3_600_000 }],
    [TIMEOUT, "30d", { silence: 30 * 86_400_000 }],
    [TIMEOUT, "5000us", { silence: 5 }],
    [UNSCHEDULABLE, "0s", { unschedulable: 0 }],
    [UNSCHEDULABLE, "7", { unschedulable: 7_000 }],
    [SPECULATION, "True", { speculation: expect.anything() }],
    [SPECULATION, "FALSE", { speculation: undefined }],
    [SPECULATION, false, { speculation: undefined }],
    [SPECULATION, true, { speculation: { quantile: 0.9, multiplier: 3, minRuntime: 100, interval: 100 } }],
  ])("%s = %s", (key, value, part) => {
    expect(policyWith({ [key]: value })).toMatchObject(part);
  });

  it.each<[string, Value, Partial<NonNullable<SchedulerPolicy["speculation"]>>]>([
    ["quantile", 0, { quantile: 0 }],
    ["quantile", "0.75", { quantile: 0.75 }],
    ["quantile", ".5", { quantile: 0.5 }],
    ["quantile", 1, { quantile: 1 }],
    ["multiplier", 1, { multiplier: 1 }],
    ["multiplier", "1.5", { multiplier: 1.5 }],
    ["minTaskRuntime", "2s", { minRuntime: 2_000 }],
    ["minTaskRuntime", 250, { minRuntime: 250 }],
    ["minTaskRuntime", "0", { minRuntime: 0 }],
    ["interval", "1s", { interval: 1_000 }],
    // A loop without a pause would do nothing else.
    ["interval", 0, { interval: 1 }],
  ])("spark.speculation.%s = %s", (name, value, part) => {
    const key = `spark.speculation.${name}`;
    expect(policyWith({ [SPECULATION]: true, [key]: value }).speculation).toMatchObject(part);
    expect(policyWith({ [key]: value })).toEqual(DEFAULT_POLICY);
  });
});

describe("a value that a setting can't have is refused, and leaves the setting as it is", () => {
  it.each<[string, Value, RegExp]>([
    ...["0", "-1", "4.0", "four", "", "1e3", " 4", "2147483648", "9".repeat(30)].map(
      (value): [string, Value, RegExp] => [FAILURES, value, /must be a positive whole number/],
    ),
    ...["", "-1s", "1.5s", "12 parsecs", "s", "1s 2ms", "NaN", "0", "0ms", "10us", `${"9".repeat(12)}d`].map(
      (value): [string, Value, RegExp] => [TIMEOUT, value, /must be a time of at least a millisecond/],
    ),
    ...["-1", "soon", `${"9".repeat(20)}`].map((value): [string, Value, RegExp] => [
      UNSCHEDULABLE,
      value,
      /must be a time such as 120s/,
    ]),
    ...["yes", "1", ""].map((value): [string, Value, RegExp] => [SPECULATION, value, /must be true or false/]),
    ...["-0.1", "1.1", "90%", "2", "NaN", ""].map((value): [string, Value, RegExp] => [
      "spark.speculation.quantile",
      value,
      /must be a number from 0 to 1/,
    ]),
    ...["0", "0.9", "-3", "Infinity", "x"].map((value): [string, Value, RegExp] => [
      "spark.speculation.multiplier",
      value,
      /must be a number of at least 1/,
    ]),
    ["spark.speculation.minTaskRuntime", "-5ms", /must be a time/],
    ["spark.speculation.interval", "often", /must be a time/],
  ])("%s = %j", (key, value, message) => {
    const conf = new RuntimeConfig();
    const before = conf.get(key);
    expect(() => conf.set(key, value)).toThrow(IllegalArgumentError);
    expect(() => conf.set(key, value)).toThrow(message);
    expect(() => conf.set(key, value)).toThrow(`${key} must be `);
    expect(conf.get(key)).toBe(before);
  });
});

it("takes times that are longer than a timer can wait", () => {
  vi.useFakeTimers();
  try {
    const call = vi.fn();
    systemClock.after(policyWith({ [TIMEOUT]: "30d" }).silence, call);
    vi.advanceTimersByTime(1_000_000);
    expect(call).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});
