export { type DecodeOptions, decodeImage, MAX_PIXELS } from "./decode";
export { CorruptImageError, ImageTooLargeError } from "./errors";
export { type Preprocessing, writeTensor } from "./preprocess";
export { resize, resizeToSignedUnit } from "./resize";
export type { RgbImage } from "./rgb-image";
