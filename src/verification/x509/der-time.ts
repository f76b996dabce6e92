import { DerFault, derTag } from './der.ts';
import type { DerElement, DerReader } from './der.ts';

/** Longest time, bytes; fractions of a second have no bound of their own. */
const maxTimeBytes = 64;

/** Next UTCTime or GeneralizedTime as RFC 5280 (4.1.2.5) has them: seconds, and Z. Milliseconds since the epoch. */
export function readTime(reader: DerReader): number {
  const element = reader.read();
  if (element.tag === derTag.utcTime) {
    const text = textOf(element);
    const century = Number(text.slice(0, 2)) >= 50 ? '19' : '20';
    return parse(century + text);
  }
  if (element.tag === derTag.generalizedTime) return parse(textOf(element));
  throw new DerFault('something else than a time');
}

/** GeneralizedTime only (RFC 6960, RFC 3161). */
export function readGeneralizedTime(reader: DerReader): number {
  return parse(textOf(reader.read(derTag.generalizedTime)));
}

/** A time to within a millisecond. */
export interface FractionalTime {
  /** Rounded down. */
  readonly timeMs: number;
  /** Whether it is later than that by a part of a millisecond. */
  readonly isRounded: boolean;
}

/** GeneralizedTime that may have fractions of a second, of any number of digits (RFC 3161, 2.4.2). */
export function readFractionalTime(reader: DerReader): FractionalTime {
  const text = textOf(reader.read(derTag.generalizedTime));
  const [, seconds = '', fraction] = /^([0-9]{14})(?:\.([0-9]+))?Z$/.exec(text) ?? [];
  const timeMs = parse(`${seconds}Z`);
  const [millis, rest] = [(fraction ?? '').slice(0, 3).padEnd(3, '0'), (fraction ?? '').slice(3)];
  return { timeMs: timeMs + Number(millis), isRounded: /[1-9]/.test(rest) };
}

function parse(text: string): number {
  const match = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/.exec(text);
  if (match === null) throw new DerFault('a malformed time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // A day that does not exist reads as another one.
  if (date.toISOString().replace(/[-:T]|\.000/g, '') !== text)
    throw new DerFault('a time that does not exist');
  return date.getTime();
}

function textOf({ content }: DerElement): string {
  if (content.length > maxTimeBytes) throw new DerFault('a malformed time');
  return Buffer.from(content).toString('latin1');
}
