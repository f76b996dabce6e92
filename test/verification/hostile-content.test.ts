import { describe, expect, it } from 'vitest';
import { failureKind } from '../../src/failures/failure.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import {
  fixtureKeyIssuer,
  fixtureKeylessIssuer,
  fixtureTrustedRoot,
  onlyArtifact,
  readCosignFixture,
  requestFor,
  withAnnotations,
  withLayer,
} from '../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../support/layout-fixture.ts';
import { both, keyless, nothingRequired, verifyText } from '../support/own-sigstore.ts';

const junk: readonly unknown[] = [null, true, -1, 2 ** 60, '', 'AAAA', [], {}, [{}], ['']];

/** The value with each part of it, one after the other, made junk or left out; base64 of JSON is looked into. */
function* mutants(value: unknown): Generator {
  yield* junk;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const mutant of mutants(item)) yield value.with(index, mutant);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield { ...value, [key]: undefined };
      for (const mutant of mutants(item)) yield { ...value, [key]: mutant };
    }
  } else if (typeof value === 'string') {
    yield* encodedMutants(Buffer.from(value, 'base64'));
  }
}

function* encodedMutants(bytes: Buffer): Generator<string> {
  const document = documentOf(bytes);
  if (document !== undefined) {
    for (const mutant of mutants(document)) yield Buffer.from(JSON.stringify(mutant)).toString('base64');
  }
  const derSequence = 0x30;
  if (bytes[0] !== derSequence) return;
  for (let at = 1; at < bytes.length; at += 1 + (bytes.length >> 4)) {
    yield bytes.subarray(0, at).toString('base64');
    yield Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 0x41 : byte))).toString('base64');
  }
}

/** Undefined also for random bytes, a signature's, that begin as an object does. */
function documentOf(bytes: Buffer): unknown {
  if (bytes[0] !== '{'.charCodeAt(0)) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

const verifier = createVerifier();
const issuers: VerificationRequest['issuers'] = [
  fixtureKeylessIssuer('person', nothingRequired),
  { ...fixtureKeyIssuer('release'), transparencyLog: 'Required', trustedRoot: fixtureTrustedRoot() },
];

/** The codes of everything that was refused, `InternalError` among them when something broke. */
async function refusals(outcomes: Iterable<ReturnType<typeof verifier.verify>>): Promise<Set<string>> {
  const codes = new Set<string>();
  let count = 0;
  for (const outcome of outcomes)
    for (const { code } of (await outcome).rejections) {
      count++;
      codes.add(code);
      expect(['failed', 'inconclusive']).toContain(failureKind(code));
    }
  expect(count).toBeGreaterThan(100);
  return codes;
}

describe('T11 T31 nothing that an artifact holds is taken for a defect of ours', () => {
  it.each(['keyless-bundle', 'key-bundle-message', 'attest-spdx-legacy'])('in %s', async (name) => {
    const fixture = readCosignFixture(name);
    const artifact = onlyArtifact(fixture);
    const document: unknown = JSON.parse(Buffer.from(layerOf(artifact).bytes).toString());
    const edited = mutants(document).map((mutant) =>
      verifier.verify(
        requestFor(
          fixture,
          withLayer(artifact, () => Buffer.from(JSON.stringify(mutant))),
          issuers,
        ),
      ),
    );
    expect(await refusals(edited)).toContain('PayloadInvalid');
  });

  // Hundreds of bundles: a busy machine takes its time.
  it('in a bundle with log entry, certificate and timestamp', { timeout: 90_000 }, async () => {
    const { verificationMaterial } = both.bundle;
    const edited = mutants(verificationMaterial).map((mutant) =>
      verifyText(
        JSON.stringify({ ...both.bundle, verificationMaterial: mutant }),
        keyless({ signedTimestamp: 'Required' }),
      ),
    );
    const codes = await refusals(edited);
    expect(codes).toContain('TransparencyLogMissing');
    expect(codes).toContain('TrustedTimeMissing');
    expect(codes).toContain('CertificateInvalid');
  });

  it('in the annotations of a legacy signature', async () => {
    const fixture = readCosignFixture('keyless-legacy');
    const artifact = onlyArtifact(fixture);
    const { annotations } = layerOf(artifact).layer;
    const body = Buffer.from(
      JSON.stringify({ kind: 'hashedrekord', apiVersion: '0.0.1', spec: {} }),
    ).toString('base64');
    const log = {
      SignedEntryTimestamp: 'AAAA',
      Payload: { body, integratedTime: 1, logIndex: 1, logID: 'c0' },
    };
    const values: Record<string, Iterable<string>> = {
      'dev.sigstore.cosign/bundle': mutants(log).map((mutant) => JSON.stringify(mutant)),
      'dev.sigstore.cosign/rfc3161timestamp': mutants(
        JSON.parse(annotations['dev.sigstore.cosign/rfc3161timestamp'] ?? ''),
      ).map((mutant) => JSON.stringify(mutant)),
      'dev.sigstore.cosign/certificate': [
        'x',
        '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      ],
      'dev.cosignproject.cosign/signature': ['!', 'MAA=', 'A'.repeat(100_000)],
    };
    const edited = Object.entries(values).flatMap(([name, texts]) =>
      [...texts].map((text) =>
        verifier.verify(requestFor(fixture, withAnnotations(artifact, { [name]: text }), issuers)),
      ),
    );
    expect(await refusals(edited)).toContain('PayloadInvalid');
  });
});

function layerOf(artifact: FixtureArtifact) {
  const [layer] = artifact.manifest.layers;
  const bytes = layer && artifact.layers.get(layer.digest);
  if (layer === undefined || bytes === undefined) throw new Error('the fixture has no layer');
  return { layer, bytes };
}
