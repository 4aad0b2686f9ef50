/** Plots for notebooks: interactive ones by Plotly, and grids of images. */

export { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
export { type Figure, figure, PLOTLY_MIME } from "./figure";
export type { FigureSpec, Layout, Trace } from "./figure-spec";
export { type ImageGrid, type ImageGridOptions, imageGrid } from "./image-grid";
export { type Scatter2dOptions, type ScatterPoints, scatter2d } from "./scatter-2d";
export { type ExplainedVariance, type ScreePlotOptions, screePlot } from "./scree-plot";
