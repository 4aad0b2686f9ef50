// What a notebook finds in scope without an import. The values: src/runtime/globals.ts.
import type * as pomona from "pomona";
import type * as functions from "pomona/functions";
import type * as ml from "pomona/ml";
import type * as models from "pomona/models";
import type * as notebook from "pomona/notebook";

declare global {
  /** The notebook's session; the first use starts it. `%%configure` changes its settings. */
  const session: pomona.Session;
  /** The same session, under the name that PySpark's notebooks give it. */
  const spark: pomona.Session;
  /** The session's context: `sc.broadcast(value)`. */
  const sc: pomona.SparkContext;
  const sparkContext: pomona.SparkContext;
  const Session: typeof pomona.Session;
  const SparkSession: typeof pomona.SparkSession;
  const SparkContext: typeof pomona.SparkContext;
  const SparkConf: typeof pomona.SparkConf;
  /** A costly value that is kept on disk: `await memo("features", () => …)`. */
  const memo: typeof pomona.memo;
  /** A DataFrame; `let df: DataFrame` takes one of any columns. */
  type DataFrame<Row = pomona.AnyRow> = pomona.DataFrame<Row>;
  /** The kernel's own name for that, which a cell's `DataFrame` does not hide. */
  type __AnyFrame__ = pomona.DataFrame;

  /** All functions over columns, as in PySpark's `import pyspark.sql.functions as F`. */
  const F: typeof functions;
  const col: typeof functions.col;
  const lit: typeof functions.lit;
  const when: typeof functions.when;
  const split: typeof functions.split;
  const elementAt: typeof functions.elementAt;
  const udf: typeof functions.udf;
  const batchUdf: typeof functions.batchUdf;
  const fromModule: typeof functions.fromModule;

  const mobileNetV2: typeof models.mobileNetV2;
  const vgg16: typeof models.vgg16;
  const resNet50: typeof models.resNet50;
  const efficientNetB0: typeof models.efficientNetB0;
  const StandardScaler: typeof ml.StandardScaler;
  const PCA: typeof ml.PCA;
  const KMeans: typeof ml.KMeans;
  const Pipeline: typeof ml.Pipeline;
  const StringIndexer: typeof ml.StringIndexer;
  const VectorAssembler: typeof ml.VectorAssembler;

  const display: typeof notebook.display;
  const updateDisplay: typeof notebook.updateDisplay;
  const clearOutput: typeof notebook.clearOutput;
  const html: typeof notebook.html;
  const svg: typeof notebook.svg;
  const markdown: typeof notebook.markdown;
  const prompt: typeof notebook.prompt;
  const readLine: typeof notebook.readLine;
}
