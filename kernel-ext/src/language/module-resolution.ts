import { isBuiltin } from "node:module";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Which file a module's name means. TypeScript's own cache for watched programs learns of new files by watching folders, and
 * watches none near the root; this one is emptied when files came or went.
 */
export interface ModuleResolution {
  /** The part of a compiler host that takes its place. */
  readonly host: Pick<
    ts.CompilerHost,
    "resolveModuleNameLiterals" | "getModuleResolutionCache" | "hasInvalidatedResolutions"
  >;
  /** The user's own file that a name means by `paths` or `baseUrl`, absolute; undefined for names that Node finds as well. */
  mappedFile(name: string, containing: string): string | undefined;
  /** Forgets every answer. */
  invalidate(): void;
  /** The program is made anew: its names were looked up. */
  settle(): void;
}

export function moduleResolution(
  compiler: Compiler,
  cwd: string,
  options: ts.CompilerOptions,
  system: ts.ModuleResolutionHost,
): ModuleResolution {
  const cache = compiler.createModuleResolutionCache(cwd, (name) => name, options);
  let isInvalid = false;
  return {
    host: {
      resolveModuleNameLiterals: (literals, containing, redirected, options, file) =>
        literals.map((literal) =>
          compiler.resolveModuleName(
            literal.text,
            containing,
            options,
            system,
            cache,
            redirected,
            compiler.getModeForUsageLocation(file, literal, options),
          ),
        ),
      getModuleResolutionCache: () => cache,
      hasInvalidatedResolutions: () => isInvalid,
    },
    mappedFile(name, containing) {
      if (/^(\.|\/|pomona(\/|$))/.test(name) || isBuiltin(name)) return undefined;
      const { resolvedModule } = compiler.resolveModuleName(name, containing, options, system, cache);
      if (!resolvedModule || resolvedModule.isExternalLibraryImport) return undefined;
      return /\.d\.[cm]?ts$/.test(resolvedModule.resolvedFileName) ? undefined : resolvedModule.resolvedFileName;
    },
    invalidate() {
      cache.clear();
      isInvalid = true;
    },
    settle() {
      isInvalid = false;
    },
  };
}
