import { setImmediate } from 'node:timers/promises';
import { DerFault, derTag } from '../x509/der.ts';

/** Entries that are passed over before others get their turn: a few milliseconds. */
const turnEntries = 32_768;
/** Most entries with a critical extension: each costs a closer look, and no authority is known that writes any. */
const maxCriticalEntries = 1000;

/**
 * The entry of a serial number in revokedCertificates (RFC 5280, 5.1.2.6): the content of its SEQUENCE, or undefined. A
 * list may have a million entries, so that it is scanned in place and nothing is made of those that are passed over.
 * @param entries content of the list.
 * @param serial content of the INTEGER.
 * @param checkEntry is given the content of each entry that has a critical extension.
 * @throws DerFault for what is no list of entries, wherever it is, or has too many with critical extensions.
 */
export async function findRevoked(
  entries: Uint8Array,
  serial: Uint8Array,
  checkEntry: (content: Uint8Array) => void,
): Promise<Uint8Array | undefined> {
  let entriesRead = 0;
  let critical = 0;
  let found: Uint8Array | undefined;
  for (let offset = 0; offset < entries.length;) {
    const start = contentStart(entries, offset, derTag.sequence);
    const end = start + lengthAt(entries, offset + 1);
    const serialStart = contentStart(entries, start, derTag.integer);
    const serialEnd = serialStart + lengthAt(entries, start + 1);
    if (end > entries.length || serialEnd > end) throw new DerFault('an entry that is cut short');
    if (mayBeCritical(entries, serialEnd, end)) {
      if (++critical > maxCriticalEntries)
        throw new DerFault(`more than ${maxCriticalEntries} entries with critical extensions`);
      checkEntry(entries.subarray(start, end));
    }
    if (isAt(entries, serialStart, serialEnd, serial)) {
      if (found !== undefined) throw new DerFault('a certificate listed twice');
      found = entries.subarray(start, end);
    }
    offset = end;
    if (++entriesRead % turnEntries === 0) await setImmediate();
  }
  return found;
}

function contentStart(bytes: Uint8Array, offset: number, tag: number): number {
  if (bytes[offset] !== tag) throw new DerFault(`tag ${bytes[offset] ?? 'none'} instead of ${tag}`);
  const first = bytes[offset + 1] ?? 0;
  return offset + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

/** Entries take less than 64 KiB. */
function lengthAt(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0xff;
  if (first < 0x80) return first;
  const [high = 0, low = 0] = [bytes[offset + 1], bytes[offset + 2]];
  if (first === 0x81 && high >= 0x80) return high;
  if (first === 0x82 && high > 0) return high * 256 + low;
  throw new DerFault('a malformed length');
}

/** Whether the bytes hold a BOOLEAN that is true: where they do by chance, a closer look does no harm. */
function mayBeCritical(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start + 2; index < end; index++) {
    if (bytes[index] === 0xff && bytes[index - 1] === 1 && bytes[index - 2] === derTag.boolean) return true;
  }
  return false;
}

function isAt(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[start + index] !== wanted[index]) return false;
  }
  return true;
}
