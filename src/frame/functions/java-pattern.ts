import { AnalysisError } from "../analysis-error";

/** A regular expression of Java's in the dialect of RE2, which DuckDB has. */
export interface JavaPattern {
  readonly re2: string;
  /** True where it is found in the empty text. */
  readonly matchesEmpty: boolean;
  /** True where it finds nothing but places between characters, such as `|` and `^`. */
  readonly isPlace: boolean;
  readonly groups: number;
}

const LINE_BREAKS = "\\n\\r\\x{85}\\x{2028}\\x{2029}";
const SPACES = " \\t\\n\\x0B\\f\\r";

/** Java's classes of ASCII characters. */
const POSIX: Readonly<Record<string, string>> = {
  Lower: "a-z",
  Upper: "A-Z",
  ASCII: "\\x00-\\x7F",
  Alpha: "a-zA-Z",
  Digit: "0-9",
  Alnum: "a-zA-Z0-9",
  Punct: "!-/:-@\\[-`{-~",
  Graph: "!-~",
  Print: " -~",
  Blank: " \\t",
  Cntrl: "\\x00-\\x1F\\x7F",
  XDigit: "0-9a-fA-F",
  Space: SPACES,
};

/**
 * Reads a pattern as Java does and writes it as RE2 wants it.
 * @throws AnalysisError for what RE2 cannot do: looking around, back-references, possessive quantifiers, classes in classes
 * @see https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function javaPattern(pattern: string): JavaPattern {
  return new Reader(pattern).read();
}

class Reader {
  private position = 0;
  private groups = 0;
  private dotAll = false;
  private ignoreCase = false;
  private out = "";

  constructor(private readonly pattern: string) {}

  read(): JavaPattern {
    while (this.position < this.pattern.length) this.out += this.item();
    const isPlace = /^(?:[|()^$]|\(\?:|\\[bBAz])*$/.test(this.out);
    return { re2: this.out, groups: this.groups, isPlace, matchesEmpty: isPlace || this.findsNothing() };
  }

  private item(): string {
    const c = this.next();
    switch (c) {
      case "\\":
        return this.escape(false);
      case "[":
        return this.characterClass();
      case "(":
        return this.group();
      case ".":
        return this.dotAll ? "(?s:.)" : `[^${LINE_BREAKS}]`;
      case "*":
      case "+":
      case "?":
        return this.quantified(c);
      case "{": {
        const count = /^\d+(?:,\d*)?\}/.exec(this.rest())?.[0];
        if (count === undefined) this.invalid("a { that begins no repetition; write \\{");
        this.position += count.length;
        return this.quantified(`{${count}`);
      }
      default:
        return c;
    }
  }

  private quantified(quantifier: string): string {
    if (this.peek() === "+") this.refuse(`the possessive quantifier ${quantifier}+`);
    if (this.peek() === "?") return `${quantifier}${this.next()}`;
    return quantifier;
  }

  private group(): string {
    if (this.peek() !== "?") {
      this.groups++;
      return "(";
    }
    const rest = this.rest();
    const named = /^\?<([A-Za-z][A-Za-z0-9]*)>/.exec(rest);
    if (named) {
      this.groups++;
      this.position += named[0].length;
      return `(?P<${named[1]}>`;
    }
    if (rest.startsWith("?:")) {
      this.position += 2;
      return "(?:";
    }
    if (/^\?<?[=!]/.test(rest)) this.refuse("looking ahead or behind, (?=, (?!, (?<=, (?<!");
    if (rest.startsWith("?>")) this.refuse("an atomic group, (?>");
    const flags = /^\?([a-zA-Z]*)(-[a-zA-Z]+)?([:)])/.exec(rest);
    if (!flags) this.invalid("a group that begins in no known way");
    const [text, on = "", off = "", end = ""] = flags;
    if (/[^ism]/.test(on + off.slice(1)) || (off && /s/.test(off))) this.refuse(`the flags (${text}`);
    if (on.includes("s")) {
      if (this.out !== "" || end === ":") this.refuse("the flag s elsewhere than at the start");
      this.dotAll = true;
    }
    if (on.includes("i")) this.ignoreCase = true;
    this.position += text.length;
    return `(${text}`;
  }

  /** What follows a backslash. @param inClass inside of [ ] */
  private escape(inClass: boolean): string {
    if (this.position >= this.pattern.length) this.invalid("a backslash at the end");
    const c = this.next();
    const set = (characters: string) => (inClass ? characters : `[${characters}]`);
    const but = (characters: string) => {
      if (inClass) this.refuse(`\\${c} inside of [ ]`);
      return `[^${characters}]`;
    };
    switch (c) {
      case "s":
        return set(SPACES);
      case "S":
        return inClass ? "\\x00-\\x08\\x0E-\\x1F!-\\x{10FFFF}" : `[^${SPACES}]`;
      case "h":
        return set(" \\t\\x{A0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}");
      case "v":
        return set("\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}");
      case "d":
      case "D":
      case "w":
      case "W":
      case "t":
      case "n":
      case "r":
      case "f":
      case "a":
        return `\\${c}`;
      case "b":
      case "B":
      case "A":
      case "z":
        if (inClass) this.invalid(`\\${c} inside of [ ]`);
        return `\\${c}`;
      case "e":
        return "\\x1B";
      case "c":
        return hex(this.next().charCodeAt(0) ^ 64);
      case "0": {
        const digits = /^[0-3]?[0-7]{1,2}/.exec(this.rest())?.[0];
        if (digits === undefined) this.invalid("\\0 without octal digits");
        this.position += digits.length;
        return hex(Number.parseInt(digits, 8));
      }
      case "x":
        return this.hexadecimal(/^([0-9a-fA-F]{2})|^\{([0-9a-fA-F]+)\}/);
      case "u":
        return this.unicode();
      case "p":
      case "P":
        return this.property(c === "P", inClass, set, but);
      case "Q": {
        const end = this.pattern.indexOf("\\E", this.position);
        const text = this.pattern.slice(this.position, end < 0 ? undefined : end);
        this.position = end < 0 ? this.pattern.length : end + 2;
        return text.replace(/[\\^$.|?*+()[\]{}&~-]/g, "\\$&");
      }
    }
    if (/[1-9]/.test(c) || c === "k") this.refuse(`the back-reference \\${c}`);
    if (/[a-zA-Z]/.test(c)) this.refuse(`\\${c}`);
    return /[\p{L}\p{N}\s\u0080-\u{10FFFF}<>]/u.test(c) ? c : `\\${c}`;
  }

  private hexadecimal(form: RegExp): string {
    const found = form.exec(this.rest());
    if (!found) this.invalid("\\x without hexadecimal digits");
    this.position += found[0].length;
    return hex(Number.parseInt(found[1] ?? found[2] ?? "0", 16));
  }

  private unicode(): string {
    const found = /^([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?/.exec(this.rest());
    if (!found) this.invalid("\\u without four hexadecimal digits");
    const [text, high = "", low] = found;
    const unit = Number.parseInt(high, 16);
    const isPair = low !== undefined && unit >= 0xd800 && unit < 0xdc00;
    this.position += isPair ? text.length : 4;
    return hex(isPair ? 0x10000 + ((unit - 0xd800) << 10) + (Number.parseInt(low, 16) - 0xdc00) : unit);
  }

  private property(
    isNot: boolean,
    inClass: boolean,
    set: (characters: string) => string,
    but: (characters: string) => string,
  ): string {
    const found = /^\{(\w+)\}|^(\w)/.exec(this.rest());
    if (!found) this.invalid("\\p without a name");
    this.position += found[0].length;
    const name = found[1] ?? found[2] ?? "";
    const posix = POSIX[name];
    if (posix !== undefined) return isNot ? but(posix) : set(posix);
    const category = /^(?:Is)?([CLMNPSZ][a-z]?)$/.exec(name)?.[1];
    const script = /^Is([A-Z][a-z]+)$/.exec(name)?.[1];
    const known = category ?? (script && SCRIPTS.has(script) ? script : undefined);
    if (known === undefined) this.refuse(`\\p{${name}}${inClass ? " inside of [ ]" : ""}`);
    return `\\${isNot ? "P" : "p"}{${known}}`;
  }

  private characterClass(): string {
    let text = "[";
    if (this.peek() === "^") text += this.next();
    if (this.peek() === "]") {
      this.next();
      text += "\\]";
    }
    for (;;) {
      if (this.position >= this.pattern.length) this.invalid("a [ without its ]");
      const c = this.next();
      if (c === "]") return `${text}]`;
      if (c === "[") this.refuse("a class inside of a class; write \\[ for the character");
      if (c === "&" && this.peek() === "&") this.refuse("the intersection && of classes");
      text += c === "\\" ? this.escape(true) : c;
    }
  }

  /** Tried with JavaScript's own expressions, which know all that is left by now. */
  private findsNothing(): boolean {
    const js = this.out
      .replaceAll("(?P<", "(?<")
      .replaceAll("(?s:.)", "[^]")
      .replace(/\(\?[ism]*(?:-[ism]+)?\)/g, "")
      .replace(/\(\?[ism]*(?:-[ism]+)?:/g, "(?:")
      .replace(/\\x\{?([0-9A-Fa-f]+)\}?/g, "\\u{$1}")
      .replaceAll("\\a", "\\u{7}")
      .replaceAll("\\A", "^")
      .replaceAll("\\z", "$")
      .replace(/\\([!"#%&',:;<=>@_`~ ])/g, "$1");
    try {
      return new RegExp(js, this.ignoreCase ? "iu" : "u").test("");
    } catch (error) {
      return this.invalid((error as Error).message);
    }
  }

  private next(): string {
    const c = String.fromCodePoint(this.pattern.codePointAt(this.position) ?? 0);
    this.position += c.length;
    return c;
  }

  private peek(): string {
    return this.pattern.charAt(this.position);
  }

  private rest(): string {
    return this.pattern.slice(this.position);
  }

  private refuse(what: string): never {
    throw new AnalysisError(
      `[UNSUPPORTED_PATTERN] The embedded engine's regular expressions (RE2) cannot do ${what}, in ${JSON.stringify(this.pattern)}.`,
      {
        remedy: "Write it another way, or use a udf: udf((text) => /…/u.test(text), …).",
      },
    );
  }

  private invalid(what: string): never {
    throw new AnalysisError(
      `[INVALID_PARAMETER_VALUE.PATTERN] The pattern ${JSON.stringify(this.pattern)} has ${what}.`,
    );
  }
}

const SCRIPTS: ReadonlySet<string> = new Set(
  "Arabic Armenian Bengali Cyrillic Devanagari Georgian Greek Han Hangul Hebrew Hiragana Katakana Latin Tamil Thai".split(
    " ",
  ),
);

function hex(codePoint: number): string {
  return `\\x{${codePoint.toString(16).toUpperCase()}}`;
}
