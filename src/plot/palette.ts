/** How the points of one class look. */
export interface ClassStyle {
  /** `#rrggbb` */
  readonly colour: string;
  /** A Plotly marker symbol. */
  readonly symbol: (typeof SYMBOLS)[number];
}

/** Symbols that stay apart at 7 pixels. */
export const SYMBOLS = ["circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon"] as const;

/** Tableau's ten categorical colours, as in Plotly and matplotlib. */
const TABLEAU = [
  "#1f77b4",
  "#ff7f0e",
  "#2ca02c",
  "#d62728",
  "#9467bd",
  "#8c564b",
  "#e377c2",
  "#7f7f7f",
  "#bcbd22",
  "#17becf",
];

/** 360 degrees by the golden ratio: any number of hues in a row are spread over the whole circle. */
const GOLDEN_ANGLE = 137.508;

/**
 * Styles that tell `n` classes apart: ten well-known colours for up to ten; beyond, hues at the golden angle in three
 * shades, and the symbol changes with each class too, so that neighbours in hue differ in form.
 */
export function classStyles(n: number): ClassStyle[] {
  return Array.from({ length: n }, (_, i) => ({
    colour:
      n <= TABLEAU.length
        ? (TABLEAU[i] as string)
        : hslToHex((i * GOLDEN_ANGLE) % 360, 0.68, [0.42, 0.56, 0.32][i % 3] as number),
    symbol: n <= TABLEAU.length ? "circle" : (SYMBOLS[i % SYMBOLS.length] as ClassStyle["symbol"]),
  }));
}

/** @see https://www.w3.org/TR/css-color-4/#hsl-to-rgb */
function hslToHex(hue: number, saturation: number, lightness: number): string {
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
