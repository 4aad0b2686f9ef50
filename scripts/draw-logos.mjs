#!/usr/bin/env node
// Draws the kernel's PNG logos from its SVG: `node scripts/draw-logos.mjs`. They are committed; run it when the SVG changes.
import sharp from "sharp";
import { inRoot } from "./setup/paths.mjs";

const logo = (file) => inRoot("kernel-ext", "kernelspec", file);
for (const size of [32, 64]) {
  // Drawn large and made smaller, which keeps the thin strokes.
  const drawn = sharp(logo("logo-svg.svg"), { density: 72 * 8 }).resize(size, size);
  await drawn.png({ compressionLevel: 9, palette: true }).toFile(logo(`logo-${size}x${size}.png`));
}
