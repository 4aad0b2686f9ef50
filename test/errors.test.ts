import { expect, it } from "vitest";
import { PomonaError, summaryOf } from "../src/errors";

it("an error in one line is its first, with the list where that is only a heading", () => {
  expect(summaryOf(new PomonaError("Column a is not there.", { remedy: "Name another." }))).toBe(
    "Column a is not there.",
  );
  const tried = "No weights for VGG16. Tried:\n  - /a.h5: no such file\n  - https://b: no answer\nGive a path.";
  expect(summaryOf(new Error(tried))).toBe("No weights for VGG16. Tried: /a.h5: no such file; https://b: no answer");
  expect(summaryOf("It ends so:")).toBe("It ends so:");
  expect(summaryOf("")).toBe("");
});
