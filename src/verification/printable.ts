/** Longest text of an artifact or certificate that is repeated in a message, in characters. */
const maxPrintedLength = 256;

/** Text that somebody else wrote, fit for a message: no control or direction-changing characters, bounded. */
export function printable(text: string): string {
  const short = text.length > maxPrintedLength ? `${text.slice(0, maxPrintedLength)}...` : text;
  return short.replace(/\p{C}/gu, '\uFFFD');
}
