const UNITS = "bkmgtp";

/** A limit as settings have it, such as `64MB`, `134217728b` or `10000`; undefined where there is none. */
export function limitIn(text: string | undefined): number | undefined {
  const [, digits, unit = "b"] = /^\s*(\d+)\s*([bkmgtp])?b?\s*$/i.exec(text ?? "") ?? [];
  const limit = Number(digits) * 1024 ** UNITS.indexOf(unit.toLowerCase());
  return limit > 0 ? limit : undefined;
}
