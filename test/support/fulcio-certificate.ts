import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const fulcioArc = '1.3.6.1.4.1.57264.1';
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface CertificateShape {
  readonly names?: readonly { readonly type: 'email' | 'url' | 'dns'; readonly value: string }[];
  /** OIDC issuer in 1.8. */
  readonly issuer?: string;
  /** Values by the last arc of Fulcio's OIDs, written as DER UTF8Strings. */
  readonly extensions?: Readonly<Record<number, string>>;
  /** Whole extensions, as bytes. */
  readonly raw?: readonly { readonly oid: string; readonly value: Uint8Array }[];
  /** OIDs of the extended key usage; code signing unless given. */
  readonly purposes?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A leaf of the mock CA in shapes that no sound CA gives out. Without SCT. */
export async function makeFulcioCertificate(
  caKey: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  subjectKey: KeyObject,
  shape: CertificateShape,
): Promise<Buffer> {
  const { names = [], issuer, extensions = {}, raw = [], purposes = ['1.3.6.1.5.5.7.3.3'] } = shape;
  const publicKey = subjectKey.toCryptoKey(ecdsa, true, ['verify']);
  const authority = caKey.publicKey.toCryptoKey(ecdsa, true, ['verify']);
  const fulcio = { ...extensions, ...(issuer === undefined ? {} : { 8: issuer }) };
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: '07',
      issuer: 'CN=sigstore,O=sigstore.mock',
      notBefore: shape.notBefore ?? new Date(),
      notAfter: shape.notAfter ?? new Date(Date.now() + 10 * 60_000),
      publicKey,
      signingKey: caKey.privateKey.toCryptoKey(ecdsa, false, ['sign']),
      signingAlgorithm: ecdsa,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...purposes])]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names], true)]),
        await x509.AuthorityKeyIdentifierExtension.create(authority, false, webcrypto),
        ...Object.entries(fulcio).map(
          ([arc, value]) => new x509.Extension(`${fulcioArc}.${arc}`, false, utf8String(value)),
        ),
        ...raw.map(({ oid, value }) => new x509.Extension(oid, false, value)),
      ],
    },
    webcrypto,
  );
  return Buffer.from(certificate.rawData);
}

/** DER UTF8String; up to 65,535 bytes. */
export function utf8String(text: string): Buffer {
  return der(0x0c, Buffer.from(text));
}

export function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
