import { afterAll, afterEach, beforeAll } from "vitest";
import { type KernelOptions, type RunningKernel, startKernel } from "./kernel";

/**
 * Starts a kernel for the tests of a file. One failure is enough: after it the next test gets a new kernel, which works.
 * @param take called with each kernel
 * @param prelude a cell that runs first
 * @returns starts a kernel for a single test
 */
export function useKernel(
  take: (kernel: RunningKernel) => void,
  prelude = "",
): (options?: KernelOptions) => Promise<RunningKernel> {
  let kernel: RunningKernel | undefined;
  const others: RunningKernel[] = [];
  const start = async () => {
    kernel = await startKernel();
    await kernel.execute(prelude);
    take(kernel);
  };
  beforeAll(start);
  afterAll(() => kernel?.stop());
  afterEach(async ({ task }) => {
    await Promise.all(others.splice(0).map((other) => other.stop()));
    if (task.result?.state !== "fail") return;
    await kernel?.stop();
    await start();
  });
  return async (options) => {
    const other = await startKernel(options);
    others.push(other);
    return other;
  };
}
