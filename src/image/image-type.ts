import { type StructType, structType } from "../data/types";

/** Spark's type of an image. @see https://spark.apache.org/docs/latest/ml-datasource.html#image-data-source */
export const IMAGE_TYPE: StructType = structType({
  origin: "string",
  height: "integer",
  width: "integer",
  nChannels: "integer",
  mode: "integer",
  data: "binary",
});
