/** A line for each command, in the order of the list; apart from them, so that the list is shown without what they work with. */
export const ABOUT = {
  sample: "Copy a sample of the images below SRC, even over their folders, to the same folders below DST.",
  featurize: "Compute a pretrained network's features of every image below SRC, into Parquet at DST.",
  pca: "Scale the vectors in SRC and reduce them by PCA, into Parquet with path, label, pca at DST.",
  validate: "Open Parquet files again and check rows, dimension, nulls, NaN, duplicates and labels.",
  show: "Print the schema and the first rows of Parquet files.",
  clean:
    "Remove what runs that never came back left at PATH and below: locks, _temporary, unfinished uploads, .tmp files.",
  run: "Execute a notebook from the first cell to the last, with parameters; or check a saved one's order.",
  lab: "Open JupyterLab on a folder of notebooks; Ctrl-C ends it.",
  worker: "Make this machine an endpoint: a Jupyter Server whose kernels work for sessions elsewhere; Ctrl-C ends it.",
  endpoints: "Check the machines that a session is to work with: whether they answer, what they are and see.",
  spark: "Start an Apache Spark with Spark Connect on this machine, tell what runs, or stop it.",
  history: "List the runs that are recorded, show one, write its report, or serve them to a browser.",
  kernel: "Register the Jupyter kernel, take it away, or list where it is.",
  doctor: "Tell what is installed, which backend is used and which weights are found.",
} as const;
