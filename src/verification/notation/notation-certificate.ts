import 'reflect-metadata';
import { createHash, X509Certificate as NodeCertificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsagesExtension,
  X509Certificate,
} from '@peculiar/x509';
import type { Extension, JsonName } from '@peculiar/x509';
import { RefwardenError } from '../../failures/failure.ts';
import { attributeType } from './distinguished-name.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { maxCertificateBytes } from './signed-envelope.ts';

const oids = { basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15', extendedKeyUsage: '2.5.29.37' } as const;
const honoured: ReadonlySet<string> = new Set(Object.values(oids));

/** A certificate of a chain with the three extensions that are honoured (signature-specification.md "Other requirements"). */
export interface NotationCertificate {
  readonly der: Uint8Array;
  /** `sha256:<hex>` of the DER. */
  readonly fingerprint: string;
  readonly subject: DistinguishedName;
  readonly key: KeyObject;
  /** Milliseconds since the epoch; both ends are within. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The hash under its issuer's signature, for example SHA-256, or the algorithm where that names none. */
  readonly signedWith: string;
  readonly basicConstraints?: { readonly critical: boolean; readonly ca: boolean; readonly pathLength?: number };
  /** `usages` are bits of KeyUsageFlags. */
  readonly keyUsage?: { readonly critical: boolean; readonly usages: number };
  /** OIDs. */
  readonly extendedKeyUsage?: readonly string[];
  /** By name and signature; whether that one may issue is not looked at. */
  isIssuedBy(issuer: NotationCertificate): boolean;
}

/** Parsed twice: node:crypto verifies, and the other library shows what node:crypto does not. */
interface Parsed {
  readonly node: NodeCertificate;
  readonly x509: X509Certificate;
}
const parsedOf = new WeakMap<NotationCertificate, Parsed>();

/** @throws RefwardenError `CertificateInvalid` for what is not one certificate of DER. */
export function parseNotationCertificate(der: Uint8Array): NotationCertificate {
  if (der.length > maxCertificateBytes) invalid(`is larger than ${maxCertificateBytes} bytes`);
  try {
    const node = new NodeCertificate(der);
    if (!node.raw.equals(der)) invalid('is not in DER, or has something after it');
    const x509 = new X509Certificate(Buffer.from(der));
    const [notBeforeMs, notAfterMs] = [x509.notBefore.getTime(), x509.notAfter.getTime()];
    // Nothing is before or after what is no time.
    if (!Number.isFinite(notBeforeMs) || !Number.isFinite(notAfterMs)) invalid('has a validity that is no time');
    const certificate: NotationCertificate = {
      der,
      fingerprint: `sha256:${createHash('sha256').update(der).digest('hex')}`,
      subject: nameOf(x509.subjectName.toJSON()),
      key: node.publicKey,
      notBeforeMs,
      notAfterMs,
      signedWith: signedWith(x509),
      ...extensionsOf(x509),
      isIssuedBy: (issuer) => isIssuedBy(certificate, issuer),
    };
    parsedOf.set(certificate, { node, x509 });
    return certificate;
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    return invalid('does not parse', cause);
  }
}

function nameOf(json: JsonName): DistinguishedName {
  return json.map((relative) =>
    Object.entries(relative).flatMap(([type, values]) =>
      (values as readonly string[]).map((value) => ({ type: attributeType(type) ?? type, value })),
    ),
  );
}

function signedWith({ signatureAlgorithm }: X509Certificate): string {
  const { name, hash } = signatureAlgorithm as { readonly name: string; readonly hash?: { readonly name: string } };
  return hash?.name ?? name;
}

type Extensions = Pick<NotationCertificate, 'basicConstraints' | 'keyUsage' | 'extendedKeyUsage'>;

function extensionsOf({ extensions }: X509Certificate): Extensions {
  const found = new Map<string, Extension>();
  for (const extension of extensions) {
    if (!honoured.has(extension.type)) continue;
    if (found.has(extension.type)) invalid(`has the extension ${extension.type} twice`);
    found.set(extension.type, extension);
  }
  const constraints = found.get(oids.basicConstraints);
  const usage = found.get(oids.keyUsage);
  const extended = found.get(oids.extendedKeyUsage);
  return {
    ...(constraints === undefined ? {} : { basicConstraints: constraintsOf(constraints) }),
    ...(usage === undefined
      ? {}
      : { keyUsage: { critical: usage.critical, usages: as(KeyUsagesExtension, usage).usages } }),
    ...(extended === undefined
      ? {}
      : { extendedKeyUsage: as(ExtendedKeyUsageExtension, extended).usages.map(String) }),
  };
}

function constraintsOf(extension: Extension): NonNullable<Extensions['basicConstraints']> {
  const { critical, ca, pathLength } = as(BasicConstraintsExtension, extension);
  return { critical, ca, ...(pathLength === undefined ? {} : { pathLength }) };
}

/** The library gives an extension that it cannot read as a plain one. */
function as<T extends Extension>(kind: new (...parameters: never[]) => T, extension: Extension): T {
  return extension instanceof kind ? extension : invalid(`has an extension ${extension.type} that does not parse`);
}

function isIssuedBy(certificate: NotationCertificate, issuer: NotationCertificate): boolean {
  const [own, above] = [parsedOf.get(certificate), parsedOf.get(issuer)];
  if (own === undefined || above === undefined) return false;
  // Not checkIssued: that reads key identifiers too, which are not honoured.
  const names = [own.x509.issuerName, above.x509.subjectName].map((name) => Buffer.from(name.toArrayBuffer()));
  return names[0]?.equals(names[1] ?? Buffer.alloc(0)) === true && own.node.verify(issuer.key);
}

function invalid(what: string, cause?: unknown): never {
  throw new RefwardenError('CertificateInvalid', `A certificate of the signature ${what}.`, cause);
}
