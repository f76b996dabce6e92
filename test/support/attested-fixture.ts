import { readFileSync } from 'node:fs';
import { parseStrictJson } from '../../src/oci/strict-json.ts';
import type { Json } from '../../src/oci/strict-json.ts';
import type { KeyIssuer } from '../../src/policy/resolved-issuer.ts';
import { parseStatement } from '../../src/verification/attestation/in-toto-statement.ts';
import type { Claim } from '../../src/verification/claim.ts';
import { onlyArtifact, readCosignFixture } from './cosign-fixture.ts';
import type { CosignFixture } from './cosign-fixture.ts';

const root = new URL('../fixtures/attested/', import.meta.url);

/** What real cosign attested, by a key of its own (test/fixtures/README.md). */
export const readAttestedFixture = (name: string): CosignFixture => readCosignFixture(`../attested/${name}`);

export const attestedKeyIssuer = (): KeyIssuer => ({
  kind: 'key',
  name: 'release',
  fingerprint: 'issuer of attested fixtures',
  pem: readFileSync(new URL('trust/release.pub', root), 'utf8'),
  transparencyLog: 'NotRequired',
});

/** The statement of a fixture that has one attestation, as it is read once its signature is known to be good. */
export function attestedClaim(name: string): Claim {
  return parseStatement('application/vnd.in-toto+json', attestedStatement(name));
}

function attestedStatement(name: string): Uint8Array {
  const { manifest, layers } = onlyArtifact(readAttestedFixture(name));
  const [layer] = manifest.layers;
  const bytes = layer && layers.get(layer.digest);
  if (bytes === undefined) throw new Error(`fixture ${name} has no layer`);
  type Envelope = { readonly [key: string]: Json } & { readonly payload: string };
  const json = parseStrictJson(bytes, name) as Envelope & { readonly dsseEnvelope?: Envelope };
  return Buffer.from((json.dsseEnvelope ?? json).payload, 'base64');
}
