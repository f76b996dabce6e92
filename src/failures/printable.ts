/**
 * Control characters, line and paragraph separators, and all that is invisible or turns the direction of text
 * (Unicode categories C, Zl and Zp, and what a renderer may ignore): terminal escapes, bidi marks, zero-width characters.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Text that somebody else wrote, fit for one line of a message or log. */
export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd');
}

/** {@link printable} of each line; the lines are kept. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
