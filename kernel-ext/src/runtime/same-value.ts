/** Values that are compared within one: more takes longer than it is worth. */
const MOST_VALUES = 1_000;

/** True where two values are known to be the same: primitives, and small plain data of them. */
export function isSameValue(a: unknown, b: unknown): boolean {
  let left = MOST_VALUES;
  const isSame = (one: unknown, other: unknown): boolean => {
    if (Object.is(one, other)) return true;
    if (--left < 0 || typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
    const prototype: unknown = Object.getPrototypeOf(one);
    if (prototype !== Object.getPrototypeOf(other)) return false;
    if (prototype === Date.prototype) return (one as Date).getTime() === (other as Date).getTime();
    if (prototype !== Array.prototype && prototype !== Object.prototype && prototype !== null) return false;
    // Before their names are listed.
    if (Array.isArray(one) && (one.length > left || one.length !== (other as unknown[]).length)) return false;
    const names = Reflect.ownKeys(one);
    if (names.length > left || names.length !== Reflect.ownKeys(other).length) return false;
    return names.every((name) => {
      const [first, second] = [one, other].map((each) => Object.getOwnPropertyDescriptor(each, name));
      // No getter runs.
      return first && second && "value" in first && "value" in second && isSame(first.value, second.value);
    });
  };
  return withoutThrowing(() => isSame(a, b));
}

/** True for `import * as name` of the same module, which is a new object each time that it is imported, and the like. */
export function isSameModule(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const [one, other] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  return withoutThrowing(() => {
    const names = Object.keys(one);
    return names.length === Object.keys(other).length && names.every((name) => Object.is(one[name], other[name]));
  });
}

/** What a proxy or a getter throws says that nothing is known. */
function withoutThrowing(compare: () => boolean): boolean {
  try {
    return compare();
  } catch {
    return false;
  }
}
