import { printable } from '../failures/printable.ts';

/** Longest text of an artifact or certificate that is repeated in a message, in characters. */
const maxExcerptLength = 256;

/** Text of an artifact, fit for a message: printable and bounded. */
export function excerpt(text: string): string {
  return printable(text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}...` : text);
}
