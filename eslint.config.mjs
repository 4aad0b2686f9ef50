// Biome lints all else; this is the one rule that needs every file's types: promises that nobody awaits.
import { parser, plugin } from "typescript-eslint";

export default [
  { ignores: ["**/*.as.ts", "**/*.wasm.ts", "**/*_pb.ts", "**/dist/**"] },
  {
    files: ["**/*.ts", "**/*.mjs", "**/*.mts"],
    languageOptions: { parser, parserOptions: { project: "tsconfig.lint.json", tsconfigRootDir: import.meta.dirname } },
    plugins: { "@typescript-eslint": plugin },
    rules: { "@typescript-eslint/no-floating-promises": "error" },
  },
];
