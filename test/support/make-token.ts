import { createHash, sign } from 'node:crypto';
import {
  sequence,
  set,
  octets,
  oid,
  integer,
  generalizedTime,
  name,
  nothing,
  primitive,
  tagged,
} from './der-values.ts';
import { ecdsaWithSha256 } from './test-pki.ts';
import type { TestHolder } from './test-pki.ts';

const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
type Hash = keyof typeof hashOids;
const tstInfo = '1.2.840.113549.1.9.16.1.4';

export interface TokenOptions {
  readonly message: Uint8Array;
  readonly hash?: Hash;
  /** As it is written: `20261126120000Z`. */
  readonly genTime?: string;
  /** Content of Accuracy. */
  readonly accuracy?: readonly Uint8Array[];
  readonly policy?: string;
  readonly version?: number;
  /** Extensions of TSTInfo. */
  readonly extensions?: readonly Uint8Array[];
  /** Which come along. */
  readonly certificates?: readonly TestHolder[];
  /** What the signed attributes name as the signer's certificate; none: no such attribute. */
  readonly essHolder?: TestHolder | 'none';
  /** Whom the SignerInfo names. */
  readonly named?: TestHolder;
  readonly namedIssuer?: string;
  readonly signedContentType?: string;
  readonly contentType?: string;
  /** Signs other bytes than it says. */
  readonly isForged?: boolean;
  readonly messageDigest?: Uint8Array;
  readonly signers?: number;
  /** Content of the identifier of a key, which names the signer instead. */
  readonly keyIdentifier?: Uint8Array;
  /** By which the signed attributes name it; absent, SHA-256 and unnamed. */
  readonly essHash?: Hash;
  /** Further signed attributes. */
  readonly attributes?: readonly Uint8Array[];
  readonly digestHash?: Hash;
  /** DER AlgorithmIdentifier. */
  readonly signatureAlgorithm?: Uint8Array;
}

/** A timestamp token (RFC 3161), by default a good one. */
export function makeToken(signer: TestHolder, issuer: TestHolder, options: TokenOptions): Uint8Array {
  const { message, hash = 'sha256', genTime = '20261126110000Z', contentType = tstInfo } = options;
  const content = sequence(
    integer(options.version ?? 1),
    oid(options.policy ?? '1.2.3.4'),
    sequence(algorithm(hash), octets(digest(hash, message))),
    integer(7),
    generalizedTime(genTime),
    ...(options.accuracy === undefined ? [] : [sequence(...options.accuracy)]),
    ...(options.extensions === undefined ? [] : [tagged(1, ...options.extensions)]),
  );
  const infos = Array.from({ length: options.signers ?? 1 }, () =>
    signerInfo(signer, issuer, content, options),
  );
  const data = sequence(
    integer(3),
    set(algorithm('sha256')),
    sequence(oid(contentType), tagged(0, octets(content))),
    tagged(0, ...(options.certificates ?? [signer, issuer]).map(({ der }) => der)),
    set(...infos),
  );
  return sequence(oid('1.2.840.113549.1.7.2'), tagged(0, data));
}

function signerInfo(
  signer: TestHolder,
  issuer: TestHolder,
  content: Uint8Array,
  options: TokenOptions,
): Uint8Array {
  const { essHolder = signer, essHash, named = signer, digestHash = 'sha256' } = options;
  const attributes = [
    attribute('1.2.840.113549.1.9.3', oid(options.signedContentType ?? tstInfo)),
    attribute('1.2.840.113549.1.9.4', octets(options.messageDigest ?? digest(digestHash, content))),
    ...(essHolder === 'none'
      ? []
      : [
          attribute(
            '1.2.840.113549.1.9.16.2.47',
            sequence(
              sequence(
                sequence(
                  ...(essHash === undefined ? [] : [algorithm(essHash)]),
                  octets(digest(essHash ?? 'sha256', essHolder.der)),
                ),
              ),
            ),
          ),
        ]),
  ];
  attributes.push(...(options.attributes ?? []));
  const signedBytes = options.isForged === true ? Buffer.from('other bytes') : set(...attributes);
  return sequence(
    integer(1),
    options.keyIdentifier === undefined
      ? sequence(name(options.namedIssuer ?? issuer.commonName), integer(named.serial))
      : primitive(0, options.keyIdentifier),
    algorithm(digestHash),
    tagged(0, ...attributes),
    options.signatureAlgorithm ?? ecdsaWithSha256,
    octets(sign('sha256', signedBytes, signer.key)),
  );
}

const algorithm = (hash: Hash): Uint8Array => sequence(oid(hashOids[hash]), nothing);
const digest = (hash: Hash, bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();
export const attribute = (id: string, value: Uint8Array): Uint8Array => sequence(oid(id), set(value));
