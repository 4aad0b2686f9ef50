import { IllegalArgumentError } from "../errors";

/**
 * A regular expression for a file name pattern of Spark's `pathGlobFilter` (Hadoop's GlobFilter): `*` any text, `?` one
 * character, `[abc]`, `[a-z]`, `[^a]` or `[!a]` a set, `{jpg,png}` alternatives, `\` takes the next character as it is.
 * Case matters. @throws IllegalArgumentError for an unclosed `[` or `{`.
 * @see https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/fs/FileSystem.html#globStatus-org.apache.hadoop.fs.Path-
 */
export function globPattern(glob: string): RegExp {
  let source = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] as string;
    switch (char) {
      case "*":
        source += "[^]*";
        break;
      case "?":
        source += "[^]";
        break;
      case "\\":
        if (++i === glob.length) throw invalid(glob, "it ends in a backslash");
        source += literal(glob[i] as string);
        break;
      case "[": {
        const end = glob.indexOf("]", i + 2);
        if (end < 0) throw invalid(glob, "a [ is not closed");
        const set = glob.slice(i + 1, end).replace(/\\/g, "\\\\");
        source += /^[!^]/.test(set) ? `[^${set.slice(1)}]` : `[${set}]`;
        i = end;
        break;
      }
      case "{":
        depth++;
        source += "(?:";
        break;
      case "}":
        source += depth > 0 ? ")" : "\\}";
        if (depth > 0) depth--;
        break;
      case ",":
        source += depth > 0 ? "|" : ",";
        break;
      default:
        source += literal(char);
    }
  }
  if (depth > 0) throw invalid(glob, "a { is not closed");
  try {
    return new RegExp(`^(?:${source})$`, "u");
  } catch (cause) {
    throw invalid(glob, (cause as Error).message);
  }
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function invalid(glob: string, why: string): IllegalArgumentError {
  return new IllegalArgumentError(`The pattern ${JSON.stringify(glob)} is not valid: ${why}.`, {
    remedy: 'Write it as Spark\'s pathGlobFilter, such as "*.jpg" or "*.{jpg,png}".',
  });
}
