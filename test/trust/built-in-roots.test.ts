import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Metadata, MetadataKind } from '@tufjs/models';
import type { Root } from '@tufjs/models';
import { describe, expect, it } from 'vitest';
import { wellKnownMirrors } from '../../src/policy/model/trusted-issuer.ts';
import { builtInTrustedRoot, builtInTufRoot } from '../../src/trust/built-in-roots.ts';
import { parseTrustedRoot } from '../../src/verification/sigstore/trusted-root.ts';

interface Authority {
  readonly uri: string;
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  readonly validFor: { readonly start: string; readonly end?: string };
}
const github = JSON.parse(builtInTrustedRoot('GitHub')) as {
  readonly certificateAuthorities: readonly Authority[];
  readonly timestampAuthorities: readonly Authority[];
};
const certificatesOf = ({ certChain }: Authority): X509Certificate[] =>
  certChain.certificates.map(({ rawBytes }) => new X509Certificate(Buffer.from(rawBytes, 'base64')));
const fingerprint = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('hex').slice(0, 16);
const servedBytes = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(new URL(`../../src/trust/${name}`, import.meta.url)))
    .digest('hex');
const parseRoot = (text: string): Metadata<Root> =>
  Metadata.fromJSON(MetadataKind.Root, JSON.parse(text) as Parameters<typeof Metadata.fromJSON>[1]);

/** Each generation: since when, the certificate of Fulcio, and that of the timestamp authority. */
const generations = [
  ['2023-10-27T16:30:00Z', 'f2fddca75fa1338a', '2e17ebb7b3578ab4'],
  ['2024-05-13T00:00:00Z', '795eadb86cf9edce', '7948f226a97ec3d3'],
  ['2024-10-07T00:00:00Z', 'd3f51b271202a679', '7b884ac292ca226d'],
  ['2025-05-27T00:00:00Z', '4e16509e3dd3a6d2', 'af777e7300e35f62'],
  ['2025-11-13T00:00:00Z', 'c3444f18fbb1a281', 'acf3e6c83c165214'],
  ['2026-06-12T00:00:00Z', '5e32fc622543a4d4', '4416c8ae73146a63'],
] as const;
const fulcioIntermediate = 'b4fbed2859cb16ce';
const timestampIntermediate = '4e0f064a5faf69bf';
const internalServicesRoot = 'dc64d3af9fd46dd8';

describe('the trusted root of GitHub', () => {
  it('is what docs/trust.md says it is', () => {
    expect(servedBytes('github-trusted-root.json')).toBe(
      '484cdfe1a7c65479c5ba2a22193d1be90f0020db1997de696ab207434c62fbb7',
    );
    expect(servedBytes('github-tuf-root.json')).toBe(
      'eb303461e0109458144b6ebcbfd62aaa6f6d7481e9ca77504b85f17761661462',
    );
  });

  it('holds the certificates that its sources agree on', () => {
    const held = (authorities: readonly Authority[]) =>
      authorities.map((authority) => [
        authority.uri,
        authority.validFor.start,
        ...certificatesOf(authority).map(fingerprint),
      ]);
    expect(held(github.certificateAuthorities)).toEqual(
      generations.map(([start, fulcio]) => [
        'fulcio.githubapp.com',
        start,
        fulcio,
        fulcioIntermediate,
        internalServicesRoot,
      ]),
    );
    expect(held(github.timestampAuthorities)).toEqual(
      generations.map(([start, , timestamp]) => [
        'timestamp.githubapp.com',
        start,
        timestamp,
        timestampIntermediate,
        internalServicesRoot,
      ]),
    );
  });

  it('holds chains that verify', () => {
    for (const authority of [...github.certificateAuthorities, ...github.timestampAuthorities]) {
      const chain = certificatesOf(authority);
      for (const [index, certificate] of chain.entries()) {
        const above = chain[index + 1] ?? certificate;
        expect(certificate.checkIssued(above) && certificate.verify(above.publicKey)).toBe(true);
      }
    }
  });

  it('is usable: no logs, every timestamp authority', () => {
    const root = parseTrustedRoot(builtInTrustedRoot('GitHub'), 'GitHub');
    expect([root.tlogs, root.ctlogs]).toEqual([[], []]);
    expect(root.certificateAuthorities).toHaveLength(6);
    expect(root.timestampAuthorities).toHaveLength(6);
  });
});

it.each(wellKnownMirrors)('the TUF root of %s is signed by itself', (mirror) => {
  const root = parseRoot(builtInTufRoot(mirror));
  expect(() => {
    root.verifyDelegate('root', root);
  }).not.toThrow();
  expect(root.signed.consistentSnapshot).toBe(true);
});
