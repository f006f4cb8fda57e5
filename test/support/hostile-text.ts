/** One character of each class that must not reach a terminal unchanged; not taken from the code that cleans. */
export const HOSTILE: readonly string[] = [
  '\u0000',
  '\u0007',
  '\u0008',
  '\n',
  '\r',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u009d',
  '\u00ad',
  '\u061c',
  '\u115f',
  '\u180e',
  '\u200b',
  '\u200d',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2060',
  '\u2066',
  '\u2069',
  '\u3164',
  '\ud800',
  '\ufe0f',
  '\ufeff',
  '\ufff9',
  '\u{e0041}',
  '\u{e0100}',
];

/** Text that a key, a message or a number may carry: its sequences clear a screen, set a title, and reverse text. */
export const HOSTILE_TEXT = `\u001b[2J\u001b]0;owned\u0007\u009b31m\r\u202e${HOSTILE.join('.')}`;

/** The hostile characters that a text contains. */
export function leftRaw(text: string): readonly string[] {
  return HOSTILE.filter((character) =>
    // A high surrogate alone, not half of a pair.
    character === '\ud800' ? /\ud800(?![\udc00-\udfff])/.test(text) : text.includes(character),
  ).map((character) => `U+${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`);
}
