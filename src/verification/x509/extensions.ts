import { contextTag, decodeBoolean, DerFault, derTag, DerReader, openDer } from './der.ts';

export const extensionOid = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  ocspNonce: '1.3.6.1.5.5.7.48.1.2',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

export const purposeOid = {
  any: '2.5.29.37.0',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** Bits of the key usage (RFC 5280, 4.2.1.3). */
export const keyUsageBit = { digitalSignature: 0, contentCommitment: 1, keyCertSign: 5, cRLSign: 6 } as const;

export interface Extension {
  readonly isCritical: boolean;
  /** Content of the OCTET STRING. */
  readonly value: Uint8Array;
}

/** By object identifier. */
export type Extensions = ReadonlyMap<string, Extension>;

/** Most extensions of one thing. */
const maxExtensions = 64;
const maxPurposes = 32;

/** @param list reader of the content of `Extensions`. @throws DerFault also for one that is there twice. */
export function readExtensions(list: DerReader): Extensions {
  const extensions = new Map<string, Extension>();
  while (!list.isAtEnd) {
    const reader = list.open();
    const oid = reader.oid();
    const critical = reader.optional(derTag.boolean);
    const value = reader.read(derTag.octetString).content;
    reader.finish();
    if (extensions.has(oid) || extensions.size === maxExtensions)
      throw new DerFault('an extension twice, or too many');
    extensions.set(oid, { isCritical: critical !== undefined && decodeBoolean(critical.content), value });
  }
  return extensions;
}

export interface BasicConstraints {
  readonly isCa: boolean;
  readonly isCritical: boolean;
  /** Certificates of authorities that may follow below; absent: any number. */
  readonly maxPathLength?: number;
}

/** @throws DerFault */
export function basicConstraints(extensions: Extensions): BasicConstraints | undefined {
  const extension = extensions.get(extensionOid.basicConstraints);
  if (extension === undefined) return undefined;
  const reader = openDer(extension.value);
  const isCa = reader.isAtEnd ? false : reader.boolean();
  const maxPathLength = reader.isAtEnd ? undefined : reader.count();
  reader.finish();
  return {
    isCa,
    isCritical: extension.isCritical,
    ...(maxPathLength === undefined ? {} : { maxPathLength }),
  };
}

/** The bits that are set; undefined without the extension. @throws DerFault */
export function keyUsage(extensions: Extensions): ReadonlySet<number> | undefined {
  const extension = extensions.get(extensionOid.keyUsage);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value);
  const [, ...bytes] = reader.read(derTag.bitString).content;
  reader.finish();
  if (bytes.length > 2) throw new DerFault('a malformed key usage');
  const bits = bytes.flatMap((byte, index) =>
    Array.from({ length: 8 }, (_, bit) => bit)
      .filter((bit) => (byte & (0x80 >> bit)) !== 0)
      .map((bit) => index * 8 + bit),
  );
  return new Set(bits);
}

/** Object identifiers of the extended key usage; undefined without the extension. @throws DerFault */
export function purposes(extensions: Extensions): readonly string[] | undefined {
  const extension = extensions.get(extensionOid.extendedKeyUsage);
  if (extension === undefined) return undefined;
  const reader = openDer(extension.value);
  const found: string[] = [];
  while (!reader.isAtEnd && found.length < maxPurposes) found.push(reader.oid());
  reader.finish();
  return found;
}

/** DER of the uniformResourceIdentifier choice of GeneralName. */
export const uriTag = contextTag(6, 'primitive');
