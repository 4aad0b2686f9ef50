import { Session } from "node:inspector";

/** What a function closes over, and what an object hides: what no code of the program itself can ask, and V8's inspector says. */
export interface Closures {
  /**
   * The variable that a name means within a function, by the scopes around it; undefined where none has it, which leaves the
   * global object.
   */
  variable(fn: object, name: string): { readonly value: unknown } | undefined;
  /** What a bound function calls, and with what; undefined for another function. */
  bound(fn: object): { readonly target: object; readonly self: unknown; readonly args: readonly unknown[] } | undefined;
  /** The private fields of an object, `#size`, by name. */
  privateFields(value: object): readonly (readonly [name: string, value: unknown])[];
}

interface Remote {
  readonly objectId?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
}

interface Described {
  readonly internalProperties?: readonly { readonly name: string; readonly value?: Remote }[];
  readonly privateProperties?: readonly { readonly name: string; readonly value?: Remote }[];
}

/** One entry of V8's `[[Scopes]]`. */
interface Scope {
  readonly description: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Looks into functions and objects for as long as `use` runs. @throws Error where Node was built without its inspector */
export function withClosures<T>(use: (closures: Closures) => T): T {
  const session = new Session();
  session.connect();
  const desk: { given?: unknown; taken?: unknown } = {};
  const key = `__pomona_memo_${Math.random().toString(36).slice(2)}__`;
  const holder = globalThis as unknown as Record<string, unknown>;
  Object.defineProperty(globalThis, key, { value: desk, configurable: true });
  const post = <R>(method: string, params: object): R => {
    let answer: { readonly error: Error | null; readonly result?: unknown } | undefined;
    // In the thread itself the inspector answers before `post` returns.
    session.post(method, params, (error, result) => {
      answer = { error, result };
    });
    if (!answer || answer.error) throw new Error(`V8's inspector does not answer ${method}.`, { cause: answer?.error });
    return answer.result as R;
  };
  const describe = (value: unknown): { readonly id: string } & Described => {
    desk.given = value;
    const { result } = post<{ result: Remote }>("Runtime.evaluate", { expression: `globalThis.${key}.given` });
    const id = result.objectId as string;
    return { id, ...post<Described>("Runtime.getProperties", { objectId: id, ownProperties: true }) };
  };
  const handedOver = (id: string, remote: Remote): unknown => {
    if (remote.objectId === undefined) return remote.unserializableValue ?? remote.value;
    post("Runtime.callFunctionOn", {
      objectId: id,
      functionDeclaration: `function (value) { globalThis.${key}.taken = value; }`,
      arguments: [{ objectId: remote.objectId }],
    });
    const { taken } = desk;
    desk.taken = undefined;
    return taken;
  };
  const scopes = new Map<object, readonly Scope[]>();
  const scopesOf = (fn: object): readonly Scope[] => {
    const known = scopes.get(fn);
    if (known) return known;
    const { id, internalProperties = [] } = describe(fn);
    const remote = internalProperties.find(({ name }) => name === "[[Scopes]]")?.value;
    const found = remote ? Array.from(handedOver(id, remote) as ArrayLike<Scope>) : [];
    const own = found.filter(({ description }) => description !== "Global");
    scopes.set(fn, own);
    return own;
  };
  try {
    return use({
      variable(fn, name) {
        const scope = scopesOf(fn).find(({ object }) => Object.hasOwn(object, name));
        return scope && { value: scope.object[name] };
      },
      bound(fn) {
        const { id, internalProperties = [] } = describe(fn);
        const part = (name: string) => {
          const remote = internalProperties.find((property) => property.name === name)?.value;
          return remote && { value: handedOver(id, remote) };
        };
        const target = part("[[TargetFunction]]");
        if (!target) return undefined;
        const args = Array.from((part("[[BoundArgs]]")?.value ?? []) as ArrayLike<unknown>);
        return { target: target.value as object, self: part("[[BoundThis]]")?.value, args };
      },
      privateFields(value) {
        const { id, privateProperties = [] } = describe(value);
        return privateProperties.flatMap(({ name, value: remote }) =>
          remote ? [[name, handedOver(id, remote)] as const] : [],
        );
      },
    });
  } finally {
    delete holder[key];
    session.disconnect();
  }
}
