/**
 * Upper case where one character becomes several, or DuckDB knows no such letter: `ß` is `SS`. The list is that of Unicode,
 * read off JavaScript's own conversion, which like Java's follows it.
 * @see https://www.unicode.org/Public/UCD/latest/ucd/SpecialCasing.txt
 */
export const special = {
  /** SQL for the upper case of text. */
  upper(s: string): string {
    const letters = severalInUpperCase();
    const replaced = letters.reduce((sql, letter) => `replace(${sql}, '${letter}', '${letter.toUpperCase()}')`, s);
    return `CASE WHEN regexp_matches(${s}, '[${letters.join("")}]') THEN upper(${replaced}) ELSE upper(${s}) END`;
  },
};

function severalInUpperCase(): string[] {
  const letters: string[] = [];
  for (let code = 0x80; code < 0x10000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const letter = String.fromCharCode(code);
    if (letter.toUpperCase().length > 1) letters.push(letter);
  }
  return letters;
}
