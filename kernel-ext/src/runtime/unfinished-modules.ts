/** What this needs to know of Node's `Module`. */
export interface LoadedModule {
  readonly id: string;
  readonly loaded: boolean;
  /** What it required, also what was there before. */
  readonly children: readonly LoadedModule[];
}

/**
 * Takes out of Node's cache what an interrupt left half-loaded: V8 ends a script without running `finally`, so Node keeps such
 * modules, and `require` would give what they had exported by then for good. Modules that require one another in a circle with
 * them go too, because they hold those exports. For a time when no module is being loaded.
 */
export function forgetUnfinishedModules(cache: Record<string, LoadedModule | undefined>): void {
  const unfinished = Object.values(cache).filter((module) => module && !module.loaded) as LoadedModule[];
  const below = new Set(unfinished);
  for (const module of below) for (const child of module.children) below.add(child);
  const broken = new Set(unfinished);
  for (let size = 0; size < broken.size; ) {
    size = broken.size;
    for (const module of below) if (module.children.some((child) => broken.has(child))) broken.add(module);
  }
  for (const [path, module] of Object.entries(cache)) if (module && broken.has(module)) delete cache[path];
}
