import { IllegalArgumentError, nearest } from "../errors";

/** What an estimator or a transformer is made with: its name, its options' names, and how it is written. */
export interface OptionsOf<O extends object> {
  readonly owner: string;
  readonly names: readonly (keyof O & string)[];
  /** The one line that helps whoever writes it otherwise. */
  readonly example: string;
}

/**
 * Checks for callers without a compiler, who come from PySpark: no options at all, values in a row, names with underscores.
 * @throws IllegalArgumentError with the line to write
 */
export function checkOptions<O extends object>({ owner, names, example }: OptionsOf<O>, options: O): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new IllegalArgumentError(`${owner} takes its parameters in one object.`, { remedy: `Write ${example}.` });
  }
  // A copy with one option changed, `new PCA({ ...pca, k: 5 })`, has the identifier of the first.
  const unknown = Object.keys(options).find((name) => name !== "uid" && !names.some((known) => known === name));
  if (unknown === undefined) return;
  const [near] = nearest(unknown, names);
  throw new IllegalArgumentError(`${owner} has no parameter ${JSON.stringify(unknown)}.`, {
    remedy: `${near === undefined ? "" : `Did you mean ${near}? `}It has ${names.join(", ")}: ${example}.`,
  });
}

/**
 * Makes PySpark's `setK(3)` and `getK()` errors that say the line to write. They are not among the types: the compiler refuses
 * them, too.
 * @param type the estimator or its model
 * @param names what `type` has as properties
 */
export function refuseAccessors<O extends object>(
  type: { readonly name: string; readonly prototype: object },
  { example }: OptionsOf<O>,
  names: readonly (keyof O & string)[],
): void {
  const refuse = (method: string, remedy: string) => {
    const value = () => {
      throw new IllegalArgumentError(`${type.name} has no ${method}.`, { remedy });
    };
    Object.defineProperty(type.prototype, method, { value, configurable: true });
  };
  const given = `Parameters are given in one object when it is made: ${example}.`;
  for (const name of names) {
    const word = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    refuse(`set${word}`, given);
    refuse(`get${word}`, `Read the property ${name}.`);
  }
  refuse("setParams", given);
}
