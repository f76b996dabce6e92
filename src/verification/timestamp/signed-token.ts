import { contextTag, DerFault, DerReader, derTag, openDer } from '../x509/der.ts';
import type { DerElement } from '../x509/der.ts';
import { readHash, readSignatureAlgorithm } from '../x509/signed-by.ts';
import type { HashName, SignatureAlgorithm } from '../x509/signed-by.ts';

const signedDataOid = '1.2.840.113549.1.7.2';
const tstInfoOid = '1.2.840.113549.1.9.16.1.4';
const attributeOid = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

/** Most certificates of one token. */
const maxCertificates = 16;
const maxAttributes = 32;

/** A timestamp token, read. Nothing of it is verified. */
export interface SignedToken {
  /** DER TSTInfo. */
  readonly content: Uint8Array;
  /** DER, in the order of the token. */
  readonly certificates: readonly Uint8Array[];
  /** By which the signer is named: issuer and serial number, or the identifier of its key. */
  readonly signer: SignerName | undefined;
  /** Of the content; undefined for one that is not supported. */
  readonly digestAlgorithm: HashName | undefined;
  /** The bytes that the signature covers: the signed attributes as a SET. */
  readonly signedBytes: Uint8Array;
  readonly messageDigest: Uint8Array;
  readonly signingCertificate: CertificateHash;
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signature: Uint8Array;
}

export interface SignerName {
  /** DER Name. */
  readonly issuer: Uint8Array;
  /** Content of the INTEGER. */
  readonly serial: Uint8Array;
}

/** ESSCertIDv2 (RFC 5035): the certificate that signed, by its hash. */
export interface CertificateHash {
  readonly hash: HashName | undefined;
  readonly digest: Uint8Array;
}

/**
 * Reads ContentInfo with SignedData of one signer over TSTInfo (RFC 5652, RFC 3161 2.4.2). Only DER: the BER that CMS also
 * allows is refused.
 * @throws DerFault for anything else.
 */
export function readSignedToken(token: Uint8Array): SignedToken {
  const info = openDer(token);
  if (info.oid() !== signedDataOid) throw new DerFault('content that is no SignedData');
  const data = info.open(contextTag(0, 'constructed')).open();
  info.finish();
  data.count(); // version
  data.read(derTag.set); // digest algorithms, again in the signer
  const content = readContent(data.open());
  const certificates = readCertificates(data.optional(contextTag(0, 'constructed')));
  data.optional(contextTag(1, 'constructed')); // revocation lists
  const signers = data.open(derTag.set);
  data.finish();
  const signer = signers.open();
  if (!signers.isAtEnd) throw new DerFault('more than one signer');
  return { content, certificates, ...readSigner(signer) };
}

function readContent(encapsulated: DerReader): Uint8Array {
  if (encapsulated.oid() !== tstInfoOid) throw new DerFault('content that is no timestamp');
  const explicit = encapsulated.open(contextTag(0, 'constructed'));
  const content = explicit.read(derTag.octetString).content;
  explicit.finish();
  encapsulated.finish();
  return content;
}

function readCertificates(set: DerElement | undefined): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const element of new DerReader(set?.content ?? new Uint8Array()).rest()) {
    if (found.length === maxCertificates) throw new DerFault(`more than ${maxCertificates} certificates`);
    // Attribute certificates and other forms may stand beside them.
    if (element.tag === derTag.sequence) found.push(element.whole);
  }
  return found;
}

function readSigner(signer: DerReader): Omit<SignedToken, 'content' | 'certificates'> {
  signer.count(); // version
  const name = readSignerName(signer);
  const digestAlgorithm = readHash(signer.open());
  const attributes = signer.read(contextTag(0, 'constructed'));
  const signatureAlgorithm = readSignatureAlgorithm(signer.read(derTag.sequence).whole);
  const signature = signer.read(derTag.octetString).content;
  signer.optional(contextTag(1, 'constructed')); // unsigned attributes
  signer.finish();
  const values = readAttributes(new DerReader(attributes.content));
  const contentType = valueOf(values, attributeOid.contentType).oid();
  if (contentType !== tstInfoOid) throw new DerFault('a signed content type that is no timestamp');
  const messageDigest = valueOf(values, attributeOid.messageDigest).read(derTag.octetString).content;
  const signedBytes = Buffer.from(attributes.whole);
  signedBytes[0] = derTag.set; // RFC 5652, 5.4: signed under the tag of SET OF
  return {
    signer: name,
    digestAlgorithm,
    signedBytes,
    messageDigest,
    signingCertificate: readSigningCertificate(valueOf(values, attributeOid.signingCertificateV2)),
    signatureAlgorithm,
    signature,
  };
}

/** A signer that is named by its key is found by the hash of its certificate alone. */
function readSignerName(signer: DerReader): SignerName | undefined {
  if (signer.optional(contextTag(0, 'primitive')) !== undefined) return undefined;
  const name = signer.open();
  const issuer = name.read(derTag.sequence).whole;
  const serial = name.read(derTag.integer).content;
  name.finish();
  return { issuer, serial };
}

/** Content of the sets of values by object identifier. */
function readAttributes(list: DerReader): ReadonlyMap<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  while (!list.isAtEnd) {
    const attribute = list.open();
    const oid = attribute.oid();
    const { content } = attribute.read(derTag.set);
    attribute.finish();
    if (values.has(oid) || values.size === maxAttributes)
      throw new DerFault('a signed attribute twice, or too many');
    values.set(oid, content);
  }
  return values;
}

/** A reader of the one value. */
function valueOf(values: ReadonlyMap<string, Uint8Array>, oid: string): DerReader {
  const content = values.get(oid);
  if (content === undefined) throw new DerFault(`no signed attribute ${oid}`);
  const reader = new DerReader(content);
  reader.read();
  reader.finish();
  return new DerReader(content);
}

/** The first of SigningCertificateV2 is the signer's (RFC 5035, 3); the hash is SHA-256 when none is named. */
function readSigningCertificate(value: DerReader): CertificateHash {
  const first = value.open().open().open();
  const algorithm = first.openOptional(derTag.sequence);
  return {
    hash: algorithm === undefined ? 'sha256' : readHash(algorithm),
    digest: first.read(derTag.octetString).content,
  };
}
