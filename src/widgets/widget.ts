import { randomBytes } from "node:crypto";
import { inspect, isDeepStrictEqual } from "node:util";
import { nearest } from "../errors";
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { type Callback, callback } from "./callbacks";
import { type Connection, connect, type WireState } from "./connection";
import { followDisplay } from "./displayed";
import { UnknownWidgetOptionError } from "./errors";
import { type Traits, wireName } from "./trait";

/** What a change was. `name` is the property's, such as `value`. */
export type Change<S, K extends keyof S = keyof S, O = unknown> = K extends keyof S
  ? { readonly name: K; readonly old: S[K]; readonly new: S[K]; readonly owner: O }
  : never;

/** What a widget with the properties `S` offers beside them. */
export interface Observable<S> {
  /** Changes several properties at once: they are checked together, and the front end gets one message. */
  set(changes: Partial<S>): void;
  /**
   * Calls `listener` after each change of a property, by code or by the user. What it prints, and the error it may throw,
   * appear below the cell that called `observe`. A listener may be async: until it is done the front end holds back further
   * changes of the widget and sends the latest then.
   * @param names the property or properties to watch, such as `"value"`
   * @returns a function that ends it
   */
  observe<K extends keyof S & string>(
    listener: (change: Change<S, K, this>) => unknown,
    names: K | readonly K[],
  ): () => void;
  /** Ends what {@link observe} began; without `names` for all properties. */
  unobserve<K extends keyof S & string>(
    listener: (change: Change<S, K, this>) => unknown,
    names?: K | readonly K[],
  ): void;
}

/** What a widget with the properties `S` is made from: any of them; a layout and a style also as plain options. */
export type WidgetOptions<S> = {
  readonly [K in keyof S]?: S[K] extends Widget & { readonly [OPTIONS]?: infer O } ? S[K] | O : S[K];
};

/** Carries, in types alone, what a layout or a style is made from. */
declare const OPTIONS: unique symbol;

type PlainValue<S> = S extends { readonly value: infer V } ? Extract<V, string | number | boolean> : never;

/** The class of a kind of widget. */
export type WidgetClass<S extends object> = new (
  /** Properties; or the value alone, as in ipywidgets: `new Label("text")`. */
  options?: WidgetOptions<S> | PlainValue<S>,
  /** Properties beside the value. */
  others?: WidgetOptions<S>,
) => Widget &
  Observable<S> &
  S & {
    readonly [OPTIONS]?: WidgetOptions<S>;
  };

/** A kind of widget, as ipywidgets and its front ends know it. */
export interface WidgetKind<S extends object> {
  /** Such as `IntSliderModel`. */
  readonly model: string;
  readonly view: string;
  /** @default "@jupyter-widgets/controls" */
  readonly module?: string;
  /** @default "2.0.0" */
  readonly version?: string;
  /** @default the module of the model */
  readonly viewModule?: string;
  readonly traits: Traits<S>;
  /**
   * Makes a state consistent: clamps, fills in, or throws.
   * @param given what was set just now; in a new widget the options
   * @param before undefined for a new widget
   */
  settle?(next: S, given: Partial<S>, before: S | undefined): S;
  /** State for the front end that is computed from the traits. */
  derived?(state: S): WireState;
  /** A still picture as HTML. @default nothing */
  picture?(state: S): string;
}

/** Makes the class of a kind of widget: a property for each trait, which the front end follows. */
export function widgetClass<S extends object>(kind: WidgetKind<S>): WidgetClass<S> {
  class KindOfWidget extends Widget {
    constructor(options: unknown = {}, others: object = {}) {
      const isValue = (typeof options !== "object" || options === null) && "value" in kind.traits;
      super(kind as unknown as WidgetKind<Values>, (isValue ? { ...others, value: options } : options) as Values);
    }
    set(changes: Values): void {
      this.change(changes);
    }
    observe(listener: Listener, names: string | readonly string[]): () => void {
      this.watch(listener, names);
      return () => this.unwatch(listener, names);
    }
    unobserve(listener: Listener, names?: string | readonly string[]): void {
      this.unwatch(listener, names);
    }
  }
  for (const name of Object.keys(kind.traits)) {
    Object.defineProperty(KindOfWidget.prototype, name, {
      configurable: true,
      get(this: KindOfWidget) {
        return this[STATE][name];
      },
      set(this: KindOfWidget, value: unknown) {
        this.set({ [name]: value });
      },
    });
  }
  return KindOfWidget as unknown as WidgetClass<S>;
}

type Values = Readonly<Record<string, unknown>>;
type Listener = (change: never) => unknown;

/** Where a widget keeps its properties. */
const STATE = Symbol("state");

/**
 * A widget: an object here and, in a notebook, a model in the front end that follows it and is changed by its views.
 * Outside a notebook it keeps its state, checks it and calls its listeners, and is nothing to look at.
 */
export abstract class Widget implements Displayable {
  /** Its id in the front end and in the notebook file. */
  readonly modelId: string = randomBytes(16).toString("hex");
  readonly #kind: WidgetKind<Values>;
  readonly #listeners = new Map<string, { readonly listener: unknown; readonly run: Callback<[object]> }[]>();
  readonly #owned: readonly Widget[];
  /** @internal */
  [STATE]: Values;
  #connection: Connection | undefined;

  /** @internal */
  constructor(kind: WidgetKind<Values>, options: Values) {
    this.#kind = kind;
    const given = this.#parse(options);
    const initial = mapValues(kind.traits, (trait, name) => (name in given ? given[name] : trait.initial()));
    this[STATE] = kind.settle?.(initial, given, undefined) ?? initial;
    // A layout or a style that nobody gave is this widget's own.
    this.#owned = Object.keys(kind.traits).flatMap((name) => {
      const value = this[STATE][name];
      return value instanceof Widget && options[name] !== value ? [value] : [];
    });
    this.#connection = connect({
      modelId: this.modelId,
      widget: this,
      wireState: () => this.#wireState(this[STATE]),
      receive: (state) => this.#receive(state),
      receiveCustom: async (content, buffers) => this.receiveCustom(content, buffers),
      disconnected: () => {
        this.#connection = undefined;
      },
    });
  }

  /** Takes the widget off every page; what lies in a box stays open. Its properties stay as they are. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    for (const widget of this.#owned) widget.close();
  }

  /** Sends a message of the widget's own to its views. */
  send(content: unknown, buffers: readonly Uint8Array[] = []): void {
    this.#connection?.custom(content, buffers);
  }

  /** A still picture of its state: inline styles, no scripts, nothing from elsewhere. */
  toHtml(): string {
    return this.#kind.picture?.(this[STATE]) ?? "";
  }

  /** Such as `IntSlider(description="n", value=3)`: what differs from the defaults. */
  toString(): string {
    const differing = Object.entries(this[STATE]).filter(
      ([name, value]) => !(value instanceof Widget) && !isDeepStrictEqual(value, this.#kind.traits[name]?.initial()),
    );
    const text = differing.map(([name, value]) => `${name}=${inspect(value, { breakLength: Infinity })}`);
    return `${this.constructor.name}(${text.join(", ")})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  [JUPYTER_DISPLAY](): MimeBundle {
    return this.#connection ? followDisplay(() => this.#bundle()) : this.#stillBundle();
  }

  /** @internal */
  protected change(changes: Values): void {
    void this.#apply(this.#parse(changes), {});
  }

  /** @internal */
  protected watch(listener: Listener, names: string | readonly string[]): void {
    const run = callback(listener as (change: object) => unknown, `${this.constructor.name}.observe`);
    for (const name of this.#known(names)) {
      this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { listener, run }]);
    }
  }

  /** @internal */
  protected unwatch(listener: Listener, names?: string | readonly string[]): void {
    for (const name of names === undefined ? [...this.#listeners.keys()] : this.#known(names)) {
      const others = this.#listeners.get(name)?.filter((each) => each.listener !== listener);
      this.#listeners.set(name, others ?? []);
    }
  }

  /** A message of the views' own, such as a button's click. */
  protected receiveCustom(_content: unknown, _buffers: readonly Uint8Array[]): void | Promise<void> {}

  #bundle(): MimeBundle {
    const view = { version_major: 2, version_minor: 0, model_id: this.modelId };
    return { "application/vnd.jupyter.widget-view+json": view, ...this.#stillBundle() };
  }

  #stillBundle(): MimeBundle {
    const text = this.toString();
    return { "text/html": this.toHtml(), "text/plain": text.length > 110 ? `${text.slice(0, 110)}…` : text };
  }

  /** @throws UnknownWidgetOptionError, WidgetValueError */
  #parse(values: Values): Values {
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    this.#known(given.map(([name]) => name));
    return Object.fromEntries(given.map(([name, value]) => [name, this.#parseOne(name, value)]));
  }

  #parseOne(name: string, value: unknown): unknown {
    return this.#kind.traits[name]?.parse(value, `${this.constructor.name}.${name}`);
  }

  #known(names: string | readonly string[]): readonly string[] {
    const list = typeof names === "string" ? [names] : names;
    const known = Object.keys(this.#kind.traits);
    const unknown = list.find((name) => !known.includes(name));
    if (unknown === undefined) return list;
    const [near] = nearest(unknown, known);
    const remedy = near ? `Did you mean "${near}"?` : `It has: ${known.join(", ")}.`;
    throw new UnknownWidgetOptionError(`${this.constructor.name} has no property "${unknown}".`, { remedy });
  }

  async #receive(state: WireState): Promise<void> {
    const names = new Map(
      Object.entries(this.#kind.traits)
        .filter(([, trait]) => !trait.local)
        .map(([name, trait]) => [wireName(name, trait), name]),
    );
    const received = Object.fromEntries(Object.entries(state).filter(([wire]) => names.has(wire)));
    if (Object.keys(received).length > 0) this.#connection?.echo(received);
    const changes = Object.entries(received).map(([wire, value]) => {
      const name = names.get(wire) as string;
      const trait = this.#kind.traits[name];
      return [name, this.#parseOne(name, trait?.fromWire ? trait.fromWire(value) : value)];
    });
    await this.#apply(Object.fromEntries(changes), received);
  }

  /**
   * @param given parsed properties
   * @param received what the front end knows already
   * @returns when the listeners are done
   */
  #apply(given: Values, received: WireState): Promise<unknown> {
    const before = this[STATE];
    const next = { ...before, ...given };
    this[STATE] = this.#kind.settle?.(next, given, before) ?? next;
    const after = this[STATE];
    if (this.#connection) {
      const old = { ...this.#wireState(before), ...received };
      const changed = Object.entries(this.#wireState(after)).filter(
        ([wire, value]) => !isDeepStrictEqual(old[wire], value),
      );
      if (changed.length > 0) this.#connection.update(Object.fromEntries(changed));
    }
    const running: Promise<void>[] = [];
    for (const name of Object.keys(this.#kind.traits)) {
      if (isDeepStrictEqual(before[name], after[name])) continue;
      const change = { name, old: before[name], new: after[name], owner: this };
      for (const { run } of this.#listeners.get(name) ?? []) running.push(run.call(change));
    }
    return Promise.all(running);
  }

  #wireState(state: Values): WireState {
    const { model, view, module = CONTROLS, viewModule = module, version = VERSION, traits, derived } = this.#kind;
    const wire: Record<string, unknown> = {
      _model_module: module,
      _model_module_version: version,
      _model_name: model,
      _view_count: null,
      _view_module: viewModule,
      _view_module_version: version,
      _view_name: view,
    };
    for (const [name, trait] of Object.entries(traits)) {
      if (!trait.local) wire[wireName(name, trait)] = trait.toWire ? trait.toWire(state[name]) : state[name];
    }
    return { ...wire, ...derived?.(state) };
  }
}

/** All properties of a widget by name. */
export function stateOf(widget: Widget): Values {
  return widget[STATE];
}

const CONTROLS = "@jupyter-widgets/controls";
export const BASE = "@jupyter-widgets/base";
const VERSION = "2.0.0";

function mapValues<T>(traits: Traits<Values>, map: (trait: Traits<Values>[string], name: string) => T) {
  return Object.fromEntries(Object.entries(traits).map(([name, trait]) => [name, map(trait, name)]));
}
