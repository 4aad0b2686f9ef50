/* Imports point down: a folder of src may import what stands above it in this list, never what stands below. */
const LAYERS = [
  "errors.ts",
  "version.ts",
  "secret.ts",
  "data",
  "kernel",
  "storage",
  "parquet",
  "text",
  "image",
  "numerics",
  "networks",
  "worker",
  "user-functions",
  "showing",
  "frame",
  "functions",
  "images",
  "models",
  "engine",
  "plot",
  "notebook",
  "widgets",
  "progress",
  "record",
  "ml",
  "session",
  "memo",
  "index.ts",
  "cli",
];

const pathOf = (layer) => (layer.endsWith(".ts") ? `^src/${layer.replace(".", "\\.")}$` : `^src/${layer}/`);

const upward = LAYERS.slice(0, -1).map((layer, i) => ({
  name: `${layer.replace(".ts", "")}-imports-up`,
  comment: `src/${layer} may only import what stands above it in LAYERS (.dependency-cruiser.cjs).`,
  severity: "error",
  from: { path: pathOf(layer) },
  to: { path: LAYERS.slice(i + 1).map(pathOf) },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: "no-folder-without-a-layer",
      comment: "A new folder of src belongs into LAYERS (.dependency-cruiser.cjs), where its place is decided.",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: [...LAYERS.map(pathOf), "^src/webassembly\\.d\\.ts$"] },
    },
    {
      name: "no-circle",
      comment: "Files that import each other can't be read one after the other.",
      severity: "error",
      // A DataFrame gives groups and they give DataFrames: the one circle, of types alone, that the API itself has.
      from: { pathNot: "^src/frame/(dataframe|grouped-data|missing-values)\\.ts$" },
      to: { circular: true },
    },
    {
      name: "no-circle-at-run-time",
      comment: "Files that import each other can't be loaded one after the other.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "kernel-uses-public-entries",
      comment: "The kernel uses the package by its public entries alone: pomona, pomona/kernel and so on.",
      severity: "error",
      from: { path: "^kernel-ext/src/" },
      to: { path: "^src/" },
    },
    {
      name: "package-without-kernel",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^kernel-ext/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: ["node_modules", "^dist/"] },
    exclude: { path: ["^kernel-ext/dist/"] },
  },
};
