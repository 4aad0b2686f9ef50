export { type DecodeOptions, decodeImage, MAX_PIXELS, type RgbImage } from "./decode";
export { CorruptImageError, ImageTooLargeError } from "./errors";
export { type Preprocessing, writeTensor } from "./preprocess";
export { resize, resizeToSignedUnit } from "./resize";
