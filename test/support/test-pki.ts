import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { extensionOid, keyUsageBit } from '../../src/verification/x509/extensions.ts';
import { bits, extension, integer, name, oid, sequence, tagged, timeOf, truth, uri } from './der-values.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** The now of tests with these certificates. */
export const pkiNowMs = Date.parse('2026-11-26T12:00:00Z');
export const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

export interface TestHolder {
  readonly der: Uint8Array;
  readonly key: KeyObject;
  readonly commonName: string;
  readonly serial: number;
  /** Content of the BIT STRING of the key. */
  readonly keyBits: Uint8Array;
}

export interface CertificateOptions {
  readonly by?: TestHolder | undefined;
  readonly serial?: number;
  readonly extensions?: readonly Uint8Array[];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

let lastSerial = 0x1000;

/** A certificate of a new P-256 key, self-signed unless `by` says otherwise. */
export function certify(commonName: string, options: CertificateOptions = {}): TestHolder {
  const { publicKey, privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { by, serial = ++lastSerial, extensions = [] } = options;
  const { notBeforeMs = pkiNowMs - 365 * dayMs, notAfterMs = pkiNowMs + 365 * dayMs } = options;
  const keyInfo = publicKey.export({ format: 'der', type: 'spki' });
  const body = sequence(
    tagged(0, integer(2)),
    integer(serial),
    ecdsaWithSha256,
    name(by?.commonName ?? commonName),
    sequence(timeOf(notBeforeMs), timeOf(notAfterMs)),
    name(commonName),
    keyInfo,
    ...(extensions.length === 0 ? [] : [tagged(3, sequence(...extensions))]),
  );
  const der = signed(body, by?.key ?? key);
  return { der, key, commonName, serial, keyBits: keyInfo.subarray(-65) };
}

/** Body, ECDSA with SHA-256, signature, and what follows. */
export function signed(body: Uint8Array, key: KeyObject, ...rest: Uint8Array[]): Uint8Array {
  return sequence(body, ecdsaWithSha256, bits(sign('sha256', body, key)), ...rest);
}

export const basicConstraints = (isCritical = true, maxPathLength?: number): Uint8Array =>
  extension(
    extensionOid.basicConstraints,
    sequence(truth, ...(maxPathLength === undefined ? [] : [integer(maxPathLength)])),
    isCritical,
  );

export function keyUsage(...wanted: readonly (keyof typeof keyUsageBit | number)[]): Uint8Array {
  const numbers = wanted.map((bit) => (typeof bit === 'number' ? bit : keyUsageBit[bit]));
  const byte = numbers.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  const unused = 7 - Math.max(...numbers);
  return extension(extensionOid.keyUsage, bits(Buffer.of(byte), unused), true);
}

export const purpose = (isCritical: boolean, ...oids: string[]): Uint8Array =>
  extension(extensionOid.extendedKeyUsage, sequence(...oids.map(oid)), isCritical);

export const ofAuthority = [basicConstraints(), keyUsage('keyCertSign', 'cRLSign')];

export const ocspAt = (...urls: string[]): Uint8Array =>
  extension(
    extensionOid.authorityInformationAccess,
    sequence(...urls.map((url) => sequence(oid('1.3.6.1.5.5.7.48.1'), uri(url)))),
  );

/** A distribution point for each. */
export const listsAt = (...urls: string[]): Uint8Array =>
  extension(
    extensionOid.crlDistributionPoints,
    sequence(...urls.map((url) => sequence(tagged(0, tagged(0, uri(url)))))),
  );
