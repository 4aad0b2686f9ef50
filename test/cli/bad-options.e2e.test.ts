import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { runPython } from "../support/python";
import { expectError, workplace } from "./command-line";

const at = workplace();

describe("wrong options", () => {
  const usage = async (args: readonly string[], ...says: RegExp[]) =>
    expectError(await at.pomona(args), "UsageError", says, 2);

  it("end with exit code 2 and the nearest that exists", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    const base = ["featurize", "fruits", "out"];
    await usage([...base, "--mode", "overwrit"], /--mode is one of .*, not "overwrit"/, /Did you mean overwrite\?/);
    await usage([...base, "--model", "mobilenet"], /--model is one of/, /Did you mean mobileNetV2\?/);
    await usage([...base, "--backend", "tfjs-nod"], /--backend is one of/, /Did you mean tfjs-node\?/);
    await usage([...base, "--on-error", "nul"], /--on-error is one of fail, null/, /Did you mean null\?/);
    await usage([...base, "--partitons", "4"], /Unknown option '--partitons'/, /Did you mean --partitions\?/);
    await usage([...base, "--partitions", "0"], /--partitions must be a whole number from 1, not "0"/);
    await usage([...base, "--partitions", "2.5"], /whole number/);
    await usage([...base, "--master", "local[0]"], /--master: "local\[0\]" is not a master URL/, /local\[4\]/);
    await usage([...base, "--master", "yarn"], /"yarn" is not a master URL/);
    await usage([...base, "--master", "jupyter://"], /--master: "jupyter:\/\/" is not a master URL/, /jupyters:/);
    await usage(["sample", "fruits", "out", "--master", "jupyter://a:1?token=hush"], /no part of a master URL/);
    await usage([...base, "--glob", "[a"], /--glob: The pattern "\[a" is not valid: a \[ is not closed/);
    await usage(["featurize", "fruits"], /takes SRC and DST; 1 given/, /pomona featurize --help/);
    await usage(["featurise", "fruits", "out"], /no command "featurise"/, /Did you mean featurize\?/);
    await usage(["pca", "in", "out", "--k", "0"], /--k must be a whole number from 1 or a share/);
    await usage(["sample", "fruits", "out", "-n", "many"], /--n must be a whole number/);
    await usage(["validate", "out", "--rows", "all"], /--rows must be a whole number/);
    at.expectNothing();
  });
});

describe("weights", () => {
  const withWeights = (weights: string) => ["featurize", "fruits", "out", "-q", "--weights", weights];

  it("that are not there, cut short, of another kind or of the wrong shape fail before any image is read", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    const missing = await at.pomona(withWeights("nowhere.h5"));
    expectError(missing, "WeightsUnavailableError", [`${at.path("nowhere.h5")}: no such file`, /"random"/]);
    expectError(await at.pomona(withWeights(at.file("text.h5", "no weights"))), "WeightsFormatError", [
      at.path("text.h5"),
      /not an HDF5 file, or it is cut short/,
    ]);

    makeWeights(at.path("weights.h5"));
    const whole = readFileSync(at.path("weights.h5"));
    const cut = at.file("cut.h5", whole.subarray(0, whole.length / 2));
    expectError(await at.pomona(withWeights(cut)), "WeightsFormatError", [cut, /cut short/, /Keras/]);
    const narrow = await at.pomona(withWeights("weights.h5"));
    expectError(narrow, "WeightsShapeError", [
      at.path("weights.h5"),
      /kernel of layer Conv1 has shape \[3, 3, 3, 16\], not \[3, 3, 3, 32\]/,
      /made for MobileNetV2/,
    ]);
    at.expectNothing();
  });

  /** Weights as Keras lays them out, of a network half as wide. */
  function makeWeights(path: string) {
    runPython(
      `import h5py, numpy, sys
with h5py.File(sys.argv[1], "w") as file:
    file.attrs["layer_names"] = [b"Conv1"]
    layer = file.create_group("Conv1")
    layer.attrs["weight_names"] = [b"Conv1/kernel:0"]
    layer.create_dataset("Conv1/kernel:0", data=numpy.zeros((3, 3, 3, 16), "float32"))`,
      [path],
    );
  }
});
