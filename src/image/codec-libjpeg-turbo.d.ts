/** What the package's WebAssembly module gives; it has no types of its own. */
declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs" {
  export interface FrameInfo {
    readonly width: number;
    readonly height: number;
    /** 1: grey, 3: RGB. */
    readonly componentCount: number;
  }
  export interface JPEGDecoder {
    /** Memory of the module for a file of so many bytes, to be filled. */
    getEncodedBuffer(bytes: number): Uint8Array;
    readHeader(): void;
    /** @throws a bare number where libjpeg stops or warns */
    decode(): void;
    getFrameInfo(): FrameInfo;
    /** Memory of the module, which the next image takes. */
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  }
  export interface Codec {
    readonly JPEGDecoder: new () => JPEGDecoder;
  }
  const factory: () => Promise<Codec>;
  export default factory;
}
