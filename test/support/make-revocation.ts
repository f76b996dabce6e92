import { createHash, sign } from 'node:crypto';
import { derTag } from '../../src/verification/x509/der.ts';
import { encodeDer } from '../../src/verification/x509/encode-der.ts';
import { extensionOid } from '../../src/verification/x509/extensions.ts';
import {
  enumerated,
  extension,
  integer,
  name,
  nothing,
  octets,
  oid,
  primitive,
  sequence,
  tagged,
  timeOf,
} from './der-values.ts';
import { ecdsaWithSha256, pkiNowMs, signed } from './test-pki.ts';
import type { TestHolder } from './test-pki.ts';

const hourMs = 3_600_000;
const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();

export type TestStatus =
  | 'good'
  | 'unknown'
  | 'malformed'
  | { readonly reason?: number; readonly revokedAtMs?: number; readonly invalidFromMs?: number };

export interface AnswerOptions {
  readonly status?: TestStatus;
  readonly thisUpdateMs?: number;
  /** null: none. */
  readonly nextUpdateMs?: number | null;
  readonly responder?: TestHolder;
  readonly byName?: boolean;
  /** Instead of a name or the hash of the key. */
  readonly responderId?: Uint8Array;
  readonly certificates?: readonly TestHolder[];
  readonly serial?: number;
  /** Extensions of the answer. */
  readonly extensions?: readonly Uint8Array[];
  readonly singleExtensions?: readonly Uint8Array[];
  readonly isForged?: boolean;
}

/** An OCSPResponse about one certificate, by default good and signed by the issuer. */
export function makeAnswer(subject: TestHolder, issuer: TestHolder, options: AnswerOptions = {}): Uint8Array {
  const { status = 'good', responder = issuer, nextUpdateMs = pkiNowMs + hourMs } = options;
  const certId = sequence(
    sequence(oid('1.3.14.3.2.26'), nothing),
    octets(sha1(name(issuer.commonName))),
    octets(sha1(issuer.keyBits)),
    integer(options.serial ?? subject.serial),
  );
  const invalidFromMs = typeof status === 'string' ? undefined : status.invalidFromMs;
  const single = [
    ...(options.singleExtensions ?? []),
    ...(invalidFromMs === undefined ? [] : [extension(extensionOid.invalidityDate, timeOf(invalidFromMs))]),
  ];
  const response = sequence(
    certId,
    certStatus(status),
    timeOf(options.thisUpdateMs ?? pkiNowMs - hourMs),
    ...(nextUpdateMs === null ? [] : [tagged(0, timeOf(nextUpdateMs))]),
    ...(single.length === 0 ? [] : [tagged(1, sequence(...single))]),
  );
  const data = sequence(
    options.responderId ??
      (options.byName === true
        ? tagged(1, name(responder.commonName))
        : tagged(2, octets(sha1(responder.keyBits)))),
    timeOf(pkiNowMs - hourMs),
    sequence(response),
    ...(options.extensions === undefined ? [] : [tagged(1, sequence(...options.extensions))]),
  );
  const certificates = (options.certificates ?? []).map(({ der }) => der);
  const rest = certificates.length === 0 ? [] : [tagged(0, sequence(...certificates))];
  const basic = signed(data, options.isForged === true ? subject.key : responder.key, ...rest);
  return sequence(enumerated(0), tagged(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octets(basic))));
}

function certStatus(status: TestStatus): Uint8Array {
  if (status === 'good') return primitive(0, new Uint8Array());
  if (status === 'unknown') return primitive(2, new Uint8Array());
  if (status === 'malformed') return primitive(3, new Uint8Array());
  const { reason, revokedAtMs = pkiNowMs - 2 * hourMs } = status;
  return tagged(1, timeOf(revokedAtMs), ...(reason === undefined ? [] : [tagged(0, enumerated(reason))]));
}

/** What a responder says instead of answering. */
export const refusedAnswer = (status: number): Uint8Array => sequence(enumerated(status));

export interface ListEntry {
  readonly serial: number;
  readonly reason?: number;
  readonly invalidFromMs?: number;
  readonly extensions?: readonly Uint8Array[];
}

export interface ListOptions {
  readonly entries?: readonly ListEntry[];
  /** Instead of the entries: content of revokedCertificates. */
  readonly rawEntries?: Uint8Array;
  readonly thisUpdateMs?: number;
  readonly nextUpdateMs?: number | null;
  readonly extensions?: readonly Uint8Array[];
  readonly issuerName?: string;
  /** Signs instead of the issuer. */
  readonly signer?: TestHolder;
}

export const entryOf = ({ serial, reason, invalidFromMs, extensions = [] }: ListEntry): Uint8Array => {
  const all = [
    ...(reason === undefined ? [] : [extension(extensionOid.reasonCode, enumerated(reason))]),
    ...(invalidFromMs === undefined ? [] : [extension(extensionOid.invalidityDate, timeOf(invalidFromMs))]),
    ...extensions,
  ];
  return sequence(
    integer(serial),
    timeOf(pkiNowMs - 2 * hourMs),
    ...(all.length === 0 ? [] : [sequence(...all)]),
  );
};

/** A CertificateList, by default empty and of the issuer. */
export function makeList(issuer: TestHolder, options: ListOptions = {}): Uint8Array {
  const { entries = [], nextUpdateMs = pkiNowMs + hourMs, signer = issuer } = options;
  const rawEntries = options.rawEntries ?? Buffer.concat(entries.map(entryOf));
  const body = [
    integer(1),
    ecdsaWithSha256,
    name(options.issuerName ?? issuer.commonName),
    timeOf(options.thisUpdateMs ?? pkiNowMs - hourMs),
    ...(nextUpdateMs === null ? [] : [timeOf(nextUpdateMs)]),
    ...(rawEntries.length === 0 ? [] : [large(derTag.sequence, rawEntries)]),
    ...(options.extensions === undefined ? [] : [tagged(0, sequence(...options.extensions))]),
  ];
  const whole = large(derTag.sequence, ...body);
  if (whole.length < 0x1_0000) return signed(whole, signer.key);
  const signature = sign('sha256', whole, signer.key);
  return large(derTag.sequence, whole, ecdsaWithSha256, encodeDer(derTag.bitString, Buffer.of(0), signature));
}

/** As encodeDer, also above 64 KiB. */
function large(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  if (content.length < 0x1_0000) return encodeDer(tag, content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const shortest = content.length < 0x100_0000 ? length.subarray(1) : length;
  return Buffer.concat([Buffer.of(tag, 0x80 | shortest.length), shortest, content]);
}

/** IssuingDistributionPoint of these parts. */
export const scope = (...parts: Uint8Array[]): Uint8Array =>
  extension(extensionOid.issuingDistributionPoint, sequence(...parts), true);
export const scopeFlag = (number: number): Uint8Array => primitive(number, Buffer.of(0xff));
