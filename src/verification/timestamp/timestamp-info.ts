import { contextTag, DerFault, derTag, openDer } from '../x509/der.ts';
import type { DerReader } from '../x509/der.ts';
import { readFractionalTime } from '../x509/der-time.ts';
import { readExtensions } from '../x509/extensions.ts';
import { readHash } from '../x509/signed-by.ts';
import type { HashName } from '../x509/signed-by.ts';

/** ETSI's baseline policy (RFC 3628, 5.2) promises a second where nothing is stated. */
const baselinePolicy = '0.4.0.2023.1.1';
const second = 1_000;
/** A worse accuracy than a day dates nothing, milliseconds. */
const maxAccuracyMs = 24 * 60 * 60 * second;

/** TSTInfo (RFC 3161, 2.4.2) as far as it is looked at. */
export interface TimestampInfo {
  /** undefined for one that is not supported. */
  readonly hash: HashName | undefined;
  readonly hashedMessage: Uint8Array;
  /** Milliseconds since the epoch, rounded down. */
  readonly genTimeMs: number;
  /** Rounded up, with what the rounding of the time left out. */
  readonly accuracyMs: number;
}

/** @throws DerFault */
export function readTimestampInfo(content: Uint8Array): TimestampInfo {
  const info = openDer(content);
  if (info.count() !== 1) throw new DerFault('another version than 1');
  const policy = info.oid();
  const imprint = info.open();
  const hash = readHash(imprint.open());
  const hashedMessage = imprint.read(derTag.octetString).content;
  imprint.finish();
  info.read(derTag.integer); // serial number
  const { timeMs, isRounded } = readFractionalTime(info);
  const accuracy = info.openOptional(derTag.sequence);
  info.optional(derTag.boolean); // ordering
  info.optional(derTag.integer); // nonce
  info.optional(contextTag(0, 'constructed')); // name of the authority
  const extensions = info.openOptional(contextTag(1, 'constructed'));
  info.finish();
  if (extensions !== undefined) {
    for (const [oid, { isCritical }] of readExtensions(extensions)) {
      if (isCritical) throw new DerFault(`the critical extension ${oid}`);
    }
  }
  const statedMs = accuracy === undefined ? 0 : readAccuracy(accuracy);
  const promisedMs = statedMs === 0 && policy === baselinePolicy ? second : statedMs;
  return { hash, hashedMessage, genTimeMs: timeMs, accuracyMs: promisedMs + (isRounded ? 1 : 0) };
}

function readAccuracy(accuracy: DerReader): number {
  const part = (tag: number, highest: number): number => {
    if (accuracy.peek() !== tag) return 0;
    const count = accuracy.count(tag);
    if (count > highest) throw new DerFault('an accuracy out of range');
    return count;
  };
  const seconds = part(derTag.integer, maxAccuracyMs / second);
  const millis = part(contextTag(0, 'primitive'), 999);
  const micros = part(contextTag(1, 'primitive'), 999);
  accuracy.finish();
  return seconds * second + millis + Math.ceil(micros / 1_000);
}
