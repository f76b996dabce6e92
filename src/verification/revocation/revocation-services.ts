import type { Certificate } from '../x509/certificate.ts';
import type { DerReader } from '../x509/der.ts';
import { contextTag, openDer } from '../x509/der.ts';
import { extensionOid, uriTag } from '../x509/extensions.ts';

const ocspMethodOid = '1.3.6.1.5.5.7.48.1';
/** Most services of a kind that are asked for one certificate. */
const maxServices = 3;
const maxUrlLength = 2_048;

/** One place of a list: further URLs hold the same one. */
export interface DistributionPoint {
  /** All URIs, whatever their scheme: a list may name any of them as its own. */
  readonly uris: readonly string[];
  /** Those that are asked. */
  readonly urls: readonly string[];
}

/** Where a certificate says that its revocation is told. */
export interface RevocationServices {
  /** Whether anything is named, usable or not. */
  readonly areNamed: boolean;
  readonly ocspUrls: readonly string[];
  readonly points: readonly DistributionPoint[];
  /** The certificate names lists of changes (freshestCRL), without which its lists are not complete. */
  readonly hasDeltas: boolean;
}

/**
 * Authority information access and distribution points (RFC 5280, 4.2.2.1 and 4.2.1.13); plain HTTP only, as these are
 * signed themselves, and TLS would need them in turn.
 * @throws DerFault
 */
export function revocationServices({ extensions }: Certificate): RevocationServices {
  const access = extensions.get(extensionOid.authorityInformationAccess);
  const ocsp = access === undefined ? [] : responders(openDer(access.value));
  const distribution = extensions.get(extensionOid.crlDistributionPoints);
  const points = distribution === undefined ? [] : distributionPoints(openDer(distribution.value));
  return {
    areNamed: ocsp.length > 0 || distribution !== undefined,
    ocspUrls: ocsp.filter(isAsked).slice(0, maxServices),
    points,
    hasDeltas: extensions.has(extensionOid.freshestCrl),
  };
}

function responders(list: DerReader): string[] {
  const uris: string[] = [];
  while (!list.isAtEnd) {
    const description = list.open();
    const method = description.oid();
    const location = description.read();
    description.finish();
    if (method === ocspMethodOid) uris.push(location.tag === uriTag ? textOf(location.content) : '');
  }
  return uris;
}

/** Those that are for some reasons only, or of another issuer (indirect), are left out. */
function distributionPoints(list: DerReader): DistributionPoint[] {
  const points: DistributionPoint[] = [];
  while (!list.isAtEnd) {
    const point = list.open();
    const name = point.openOptional(contextTag(0, 'constructed'));
    if (!point.isAtEnd || name === undefined) continue;
    const uris = fullNameUris(name);
    const known = points.reduce((count, { urls }) => count + urls.length, 0);
    const urls = uris.filter(isAsked).slice(0, maxServices - known);
    if (urls.length > 0) points.push({ uris, urls });
  }
  return points;
}

/** URIs of a DistributionPointName; none when it is relative to the issuer. */
export function fullNameUris(name: DerReader): string[] {
  const names = name.openOptional(contextTag(0, 'constructed'));
  if (names === undefined) return [];
  return [...names.rest()].filter(({ tag }) => tag === uriTag).map(({ content }) => textOf(content));
}

const textOf = (content: Uint8Array): string => Buffer.from(content).toString('latin1');

function isAsked(uri: string): boolean {
  if (uri.length > maxUrlLength || !/^http:\/\/[\x21-\x7e]+$/i.test(uri) || !URL.canParse(uri)) return false;
  const { username, password } = new URL(uri);
  return username === '' && password === '';
}
