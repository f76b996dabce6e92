import { createHash } from 'node:crypto';
import type { KeyObject, X509Certificate as NodeCertificate } from 'node:crypto';
import { ASN1Obj, X509Certificate } from '@sigstore/core';
import { RefwardenError } from '../failures/failure.ts';
import { fulcioExtensions } from '../policy/resolved-issuer.ts';
import type { FulcioExtension } from '../policy/resolved-issuer.ts';
import { readDerCertificate } from './x509/der-certificate.ts';

/** Largest certificate looked at; Fulcio's take about 2 KiB. */
const maxCertificateBytes = 64 * 1024;
/** Longest name or extension value of a certificate, in bytes. */
const maxNameBytes = 4096;
const maxSubjects = 32;

const fulcioArc = '1.3.6.1.4.1.57264.1';
const subjectAltNameOid = '2.5.29.17';
const codeSigningOid = '1.3.6.1.5.5.7.3.3';
/** GeneralName choices (RFC 5280, section 4.2.1.6). */
const generalName = { otherName: 0, rfc822Name: 1, dnsName: 2, uri: 6, ipAddress: 7 } as const;
const textNames = [generalName.rfc822Name, generalName.dnsName, generalName.uri];
const utf8StringTag = 0x0c;

/** A certificate of Fulcio's profile, with who it names. Nothing about it is trusted yet. */
export interface SigningCertificate {
  readonly der: Buffer<ArrayBuffer>;
  readonly x509: X509Certificate;
  readonly key: KeyObject;
  /** `sha256:<hex>` of the DER. */
  readonly fingerprint: string;
  /** OIDC issuer. */
  readonly issuer: string;
  /** Every URI, email, DNS name, IP address and Fulcio user name, in the order of the certificate. */
  readonly subjects: readonly string[];
  /** Values by Fulcio's names; absent when the certificate lacks the extension. */
  readonly extensions: Readonly<Partial<Record<FulcioExtension, string>>>;
}

/**
 * Reads a code-signing certificate (Fulcio certificate-specification.md, oid-info.md).
 * @throws RefwardenError `CertificateInvalid` for one that does not parse, is not for code signing, or names nobody clearly.
 */
export function parseSigningCertificate(bytes: Uint8Array): SigningCertificate {
  if (bytes.length > maxCertificateBytes) invalid(`is larger than ${maxCertificateBytes} bytes`);
  const der = Buffer.from(bytes);
  try {
    const node = readDerCertificate(der);
    // The library checks the chain only; a CA's other certificates (TLS, timestamps) sign no images.
    const x509 = X509Certificate.parse(der);
    if (x509.extBasicConstraints?.isCA === true || !ekuOf(node).includes(codeSigningOid)) {
      invalid('is not for code signing');
    }
    const values = extensionValues(x509);
    const issuer = decodeIssuer(values);
    if (issuer === undefined) return invalid('names no OIDC issuer');
    return {
      der,
      x509,
      key: node.publicKey,
      fingerprint: `sha256:${createHash('sha256').update(der).digest('hex')}`,
      issuer,
      subjects: decodeSubjects(values.get(subjectAltNameOid)),
      extensions: decodeExtensions(values),
    };
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    throw new RefwardenError('CertificateInvalid', 'The signing certificate does not parse.', cause);
  }
}

/** OIDs of the extended key usage; node:crypto calls them keyUsage, and has none to give without the extension. */
function ekuOf({ keyUsage }: NodeCertificate): readonly string[] {
  return Array.isArray(keyUsage) ? keyUsage : [];
}

/** Contents of the extension's OCTET STRING by OID. */
function extensionValues(certificate: X509Certificate): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const extension of certificate.extensions) {
    const oid = extension.subs[0]?.toOID();
    const value = extension.subs.at(-1)?.value;
    if (oid === undefined || value === undefined) return invalid('has a malformed extension');
    if (values.has(oid)) return invalid(`has the extension ${oid} twice`);
    values.set(oid, value);
  }
  return values;
}

/** 1.8 is a DER UTF8String; the older 1.1 is raw text. */
function decodeIssuer(values: ReadonlyMap<string, Buffer>): string | undefined {
  const current = values.get(`${fulcioArc}.8`);
  if (current !== undefined) return decodeUtf8String(current);
  const legacy = values.get(`${fulcioArc}.1`);
  return legacy === undefined ? undefined : decodeUtf8(legacy);
}

function decodeExtensions(values: ReadonlyMap<string, Buffer>): Partial<Record<FulcioExtension, string>> {
  const decoded: Partial<Record<FulcioExtension, string>> = {};
  for (const [name, arc] of Object.entries(fulcioExtensions)) {
    const value = values.get(`${fulcioArc}.${arc}`);
    if (value !== undefined) decoded[name as FulcioExtension] = decodeUtf8String(value);
  }
  return decoded;
}

function decodeSubjects(value: Buffer | undefined): string[] {
  if (value === undefined) return [];
  const names = ASN1Obj.parseBuffer(Buffer.from(value)).subs;
  if (names.length > maxSubjects) return invalid(`has more than ${maxSubjects} subject alternative names`);
  return names.flatMap((name) => {
    if (textNames.some((kind) => name.tag.isContextSpecific(kind))) return [decodeIa5(name.value)];
    if (name.tag.isContextSpecific(generalName.ipAddress)) return [decodeAddress(name.value)];
    if (name.tag.isContextSpecific(generalName.otherName) && name.subs[0]?.toOID() === `${fulcioArc}.7`) {
      const text = name.subs[1]?.subs[0];
      if (text === undefined) return invalid('has a malformed user name');
      return [decodeUtf8String(text.toDER())];
    }
    return [];
  });
}

function decodeUtf8String(bytes: Buffer): string {
  const text = ASN1Obj.parseBuffer(Buffer.from(bytes));
  if (!text.tag.isUniversal() || text.tag.number !== utf8StringTag)
    return invalid('has an extension that is no UTF8String');
  return decodeUtf8(text.value);
}

function decodeUtf8(bytes: Buffer): string {
  if (bytes.length > maxNameBytes) return invalid(`has a name longer than ${maxNameBytes} bytes`);
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Strict: Node's `ascii` drops the high bit, so that other bytes would read as letters. */
function decodeIa5(bytes: Buffer): string {
  if (bytes.some((byte) => byte > 0x7e || byte < 0x20))
    return invalid('has a name that is no printable ASCII');
  return decodeUtf8(bytes);
}

/** As people write it (RFC 5952 for the longer kind). */
function decodeAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return invalid('has an IP address of neither 4 nor 16 bytes');
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function invalid(what: string): never {
  throw new RefwardenError('CertificateInvalid', `The signing certificate ${what}.`);
}
