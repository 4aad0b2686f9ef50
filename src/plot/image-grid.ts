import sharp from "sharp";
import { firstLine, IllegalArgumentError } from "../errors";
import { type Displayable, escapeHtml, JUPYTER_DISPLAY } from "../kernel/mime-bundle";
import { activeStorages, type Storages } from "../storage";

export interface ImageGridOptions {
  /** A caption for each image. @default a file's folder and name, nothing for bytes */
  readonly labels?: readonly (string | null)[];
  /** Images in a row. @default 6 */
  readonly columns?: number;
  /** The longer side of a thumbnail, in pixels; smaller images stay as they are. @default 100 */
  readonly size?: number;
  /** Images shown; a line below says how many there are more. @default 60 */
  readonly limit?: number;
  /** Where paths are found, such as a session's: `session.runtime.storages`. @default those of the session that runs */
  readonly storages?: Storages;
}

/** Images in rows, as HTML that holds them: it needs neither the files nor a network. */
export interface ImageGrid extends Displayable {
  readonly html: string;
  /** The grid in one sentence. */
  readonly summary: string;
}

/**
 * A grid of thumbnails for a notebook.
 * @param images paths or URLs of files, or encoded images (such as the `content` column of a binaryFile DataFrame); JPEG,
 *   PNG, WebP, GIF. One that cannot be read keeps its place and says why.
 * @throws IllegalArgumentError if `labels` has another length than `images`
 */
export async function imageGrid(
  images: readonly (string | Uint8Array)[],
  options: ImageGridOptions = {},
): Promise<ImageGrid> {
  const { labels, columns = 6, size = 100, limit = 60, storages = activeStorages() } = options;
  for (const [name, value] of Object.entries({ columns, size, limit })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new IllegalArgumentError(`${name} must be a positive integer, not ${value}.`);
    }
  }
  if (labels && labels.length !== images.length) {
    throw new IllegalArgumentError(`There are ${labels.length} labels for ${images.length} images.`);
  }
  const shown = images.slice(0, limit);
  const cells = await Promise.all(
    shown.map(async (image, i) => cell(await thumbnail(image, size, storages), captionOf(image, labels?.[i]), size)),
  );
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += columns) rows.push(`<tr>${cells.slice(i, i + columns).join("")}</tr>`);
  const more = images.length > shown.length ? `${shown.length} of ${images.length} images.` : "";
  const html = `<table style="border-collapse: collapse; background: white"><tbody>${rows.join("\n")}</tbody></table>${more ? `<p>${more}</p>` : ""}`;
  const summary = more || `${images.length} images.`;
  return { html, summary, [JUPYTER_DISPLAY]: () => ({ "text/html": html, "text/plain": summary }) };
}

type Thumbnail = { readonly uri: string } | { readonly error: string };

async function thumbnail(image: string | Uint8Array, size: number, storages: Storages): Promise<Thumbnail> {
  try {
    const bytes = typeof image === "string" ? await contentOf(image, storages) : image;
    const small = await sharp(bytes)
      .resize({ width: size, height: size, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "#fff" })
      .jpeg({ quality: 88 })
      .toBuffer();
    return { uri: `data:image/jpeg;base64,${small.toString("base64")}` };
  } catch (error) {
    return { error: firstLine(error) };
  }
}

function contentOf(path: string, storages: Storages): Promise<Uint8Array> {
  const { storage, url } = storages.at(path);
  return storage.readFile(url);
}

function captionOf(image: string | Uint8Array, label: string | null | undefined): string {
  if (label !== undefined) return label ?? "(null)";
  return typeof image === "string" ? image.split("/").slice(-2).join("/") : "";
}

function cell(thumbnail: Thumbnail, caption: string, size: number): string {
  const text = escapeHtml(caption);
  const picture =
    "uri" in thumbnail
      ? `<img src="${thumbnail.uri}" alt="${text}" style="max-width: ${size}px">`
      : `<span style="color: #b00020">cannot be shown: ${escapeHtml(thumbnail.error)}</span>`;
  return `<td style="background: white; text-align: center; vertical-align: bottom; padding: 4px; max-width: ${size + 20}px; color: #222">${picture}<br><small>${text}</small></td>`;
}
