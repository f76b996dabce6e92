import { derTag, openDer } from '../x509/der.ts';
import type { DerElement } from '../x509/der.ts';
import { readDer } from '../x509/read-der.ts';
import { attributeType } from './distinguished-name.ts';
import type { DistinguishedName, NameAttribute } from './distinguished-name.ts';

/** String types of an attribute's value (RFC 5280, 4.1.2.4), by identifier octet. */
const encodings: Readonly<Record<number, string>> = {
  0x0c: 'utf-8',
  0x12: 'ascii', // NumericString
  0x13: 'ascii', // PrintableString
  0x14: 'latin1', // TeletexString, as it is used
  0x16: 'ascii', // IA5String
  0x1a: 'ascii', // VisibleString
  0x1e: 'utf-16be', // BMPString
};

/**
 * A name out of a certificate.
 * @param der of the Name.
 * @throws RefwardenError `CertificateInvalid`.
 */
export function readName(der: Uint8Array): DistinguishedName {
  return readDer('CertificateInvalid', 'The subject of the signing certificate', () =>
    [...openDer(der).rest(derTag.set)].map(({ whole }) =>
      [...openDer(whole, derTag.set).rest(derTag.sequence)].map(({ whole: pair }): NameAttribute => {
        const reader = openDer(pair);
        const type = reader.oid();
        const value = reader.read();
        reader.finish();
        return { type: attributeType(type) ?? type, value: textOf(value) };
      }),
    ),
  );
}

/** In hexadecimal where it is no text of its type (RFC 4514, 2.4). */
function textOf({ tag, content, whole }: DerElement): string {
  const encoding = encodings[tag];
  const hexadecimal = `#${Buffer.from(whole).toString('hex')}`;
  if (encoding === undefined) return hexadecimal;
  if (encoding === 'ascii') {
    return content.every((byte) => byte < 0x80) ? Buffer.from(content).toString('latin1') : hexadecimal;
  }
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return hexadecimal;
  }
}
