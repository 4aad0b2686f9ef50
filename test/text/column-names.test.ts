import { expect, it } from "vitest";
import { type StructType, structField } from "../../src/data/types";
import { refuseNames } from "../../src/text/column-names";

const struct = (...names: string[]): StructType => ({
  type: "struct",
  fields: names.map((name) => structField(name, "string")),
});

it("are refused twice and with the character NUL, which UTF-16 has that is read as UTF-8, at any depth", () => {
  expect(() => refuseNames(struct("a", "b"))).not.toThrow();
  expect(() => refuseNames(struct("a", "A"))).toThrow(/`A` is there twice/);
  const nested = { ...struct("a"), fields: [structField("a", struct("n\0a\0"))] };
  for (const type of [struct("n\0a\0"), nested]) {
    expect(() => refuseNames(type)).toThrow(
      /"n\\u0000a\\u0000" has the character NUL\.\n.*option\("encoding", "UTF-16"\)/,
    );
  }
});
