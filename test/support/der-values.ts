import { derTag, contextTag } from '../../src/verification/x509/der.ts';
import { encodeDer } from '../../src/verification/x509/encode-der.ts';

type Der = Uint8Array;

export const sequence = (...parts: Der[]): Der => encodeDer(derTag.sequence, ...parts);
export const set = (...parts: Der[]): Der => encodeDer(derTag.set, ...parts);
export const octets = (bytes: Der): Der => encodeDer(derTag.octetString, bytes);
export const bits = (bytes: Der, unused = 0): Der =>
  encodeDer(derTag.bitString, Buffer.from([unused]), bytes);
export const truth = encodeDer(derTag.boolean, Buffer.from([0xff]));
export const nothing = encodeDer(derTag.null);
export const enumerated = (value: number): Der => encodeDer(derTag.enumerated, Buffer.from([value]));
/** Explicit, or implicit around what is already constructed content. */
export const tagged = (number: number, ...parts: Der[]): Der =>
  encodeDer(contextTag(number, 'constructed'), ...parts);
export const primitive = (number: number, content: Der): Der =>
  encodeDer(contextTag(number, 'primitive'), content);
export const uri = (text: string): Der => primitive(6, Buffer.from(text, 'latin1'));

export function integer(value: number): Der {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return encodeDer(derTag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

export function oid(text: string): Der {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const arc = (value: number): number[] => {
    const low = [value & 0x7f];
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
      low.unshift((left & 0x7f) | 0x80);
    return low;
  };
  return encodeDer(derTag.oid, Buffer.from([first * 40 + second, ...rest].flatMap(arc)));
}

/** `20261126064900Z`, as it is written. */
export const generalizedTime = (text: string): Der => encodeDer(derTag.generalizedTime, Buffer.from(text));
export const timeOf = (timeMs: number): Der =>
  generalizedTime(new Date(timeMs).toISOString().replace(/[-:T]|\.[0-9]+/g, ''));

/** A Name of one common name. */
export const name = (text: string): Der =>
  sequence(set(sequence(oid('2.5.4.3'), encodeDer(0x0c, Buffer.from(text)))));

export const extension = (id: string, value: Der, isCritical = false): Der =>
  sequence(oid(id), ...(isCritical ? [truth] : []), octets(value));
