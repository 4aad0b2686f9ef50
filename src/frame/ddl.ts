import {
  arrayType,
  type DataType,
  type PrimitiveType,
  type StructField,
  type StructType,
  structField,
  TYPE_NAMES,
} from "../data/types";
import { IllegalArgumentError, nearest } from "../errors";

/** A type's name as Spark spells it; parametrised types such as `array<float>` are plain strings to the compiler. */
export type TypeName = keyof typeof TYPE_NAMES;

/**
 * The type that Spark SQL text names: `int`, `decimal(10,2)`, `array<float>`, `map<string,int>`, `struct<a:int,b:string>`.
 * @throws IllegalArgumentError naming the nearest type.
 * @see https://spark.apache.org/docs/latest/sql-ref-datatypes.html
 */
export function parseDataType(text: string): DataType {
  const reader = new TypeReader(text);
  const type = reader.type();
  reader.end();
  return type;
}

/** The schema that text such as `path STRING, size INT NOT NULL` describes; `name: type` is read too. */
export function parseSchema(text: string): StructType {
  const reader = new TypeReader(text);
  const fields = reader.fields("");
  reader.end();
  return { type: "struct", fields };
}

/** A recursive-descent reader over the tokens of a type text. */
class TypeReader {
  private readonly tokens: string[];
  private position = 0;

  constructor(private readonly text: string) {
    this.tokens = text.match(/`(?:[^`]|``)+`|[\p{L}\p{N}_]+|-|[^\s]/gu) ?? [];
  }

  type(): DataType {
    const word = this.next("a type");
    const name = word.toLowerCase();
    switch (name) {
      case "array": {
        this.expect("<");
        const element = this.type();
        this.expect(">");
        return arrayType(element);
      }
      case "map": {
        this.expect("<");
        const keyType = this.type();
        this.expect(",");
        const valueType = this.type();
        this.expect(">");
        return { type: "map", keyType, valueType, valueContainsNull: true };
      }
      case "struct": {
        this.expect("<");
        const fields = this.fields(">");
        this.expect(">");
        return { type: "struct", fields };
      }
      case "decimal":
      case "dec":
      case "numeric":
        return this.decimal();
      case "varchar":
      case "char":
        this.skipLength();
        return "string";
    }
    const simple = (TYPE_NAMES as Record<string, PrimitiveType>)[name];
    if (simple !== undefined) return simple;
    const names = [...Object.keys(TYPE_NAMES), "decimal", "array", "map", "struct"];
    const near = nearest(name, names);
    throw new IllegalArgumentError(`Unknown type ${JSON.stringify(word)} in ${JSON.stringify(this.text)}.`, {
      remedy: near.length > 0 ? `Did you mean ${near.join(", ")}?` : `The types are ${names.join(", ")}.`,
    });
  }

  fields(until: string): StructField[] {
    const fields: StructField[] = [];
    while (this.tokens[this.position] !== undefined && this.tokens[this.position] !== until) {
      if (fields.length > 0) this.expect(",");
      const name = unquoted(this.next("a column name"));
      if (this.tokens[this.position] === ":") this.position++;
      const type = this.type();
      const required = this.take("not") && this.take("null");
      fields.push(structField(name, type, !required));
    }
    return fields;
  }

  end(): void {
    const rest = this.tokens[this.position];
    if (rest !== undefined) this.fail(`unexpected ${JSON.stringify(rest)}`);
  }

  private decimal(): DataType {
    if (this.tokens[this.position] !== "(") return "decimal(10,0)";
    this.expect("(");
    const precision = Number(this.next("a precision"));
    const scale = this.take(",") ? Number(this.next("a scale")) : 0;
    this.expect(")");
    if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) {
      this.fail(`decimal(${precision},${scale}) needs 1 <= precision <= 38 and 0 <= scale <= precision`);
    }
    return `decimal(${precision},${scale})`;
  }

  private skipLength(): void {
    if (!this.take("(")) return;
    this.next("a length");
    this.expect(")");
  }

  private take(word: string): boolean {
    if (this.tokens[this.position]?.toLowerCase() !== word) return false;
    this.position++;
    return true;
  }

  private expect(token: string): void {
    if (!this.take(token)) this.fail(`expected ${JSON.stringify(token)}`);
  }

  private next(what: string): string {
    const token = this.tokens[this.position];
    if (token === undefined) this.fail(`expected ${what}`);
    this.position++;
    return token;
  }

  private fail(reason: string): never {
    throw new IllegalArgumentError(`Cannot read the type ${JSON.stringify(this.text)}: ${reason}.`, {
      remedy: "Write it as Spark does, e.g. array<float> or decimal(10,2).",
    });
  }
}

/** A name without its backticks; inside them two stand for one. */
function unquoted(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name;
}
