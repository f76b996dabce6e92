import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../src/demo/registry/start-registry.ts';
import { createVerifier } from '../src/verification/verifier.ts';
import { notationRequest, notationRevocation, readNotationCases } from '../test/support/notation-fixture.ts';
import type { Comparison, KnownDifference } from './differential/comparison.ts';
import { comparisonTable, unexplained } from './differential/comparison.ts';
import { fixtureImages, prepareComparisons } from './differential/cosign-comparisons.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeNotation } from './tools/notation.ts';
import { suiteStack } from './world/suite-stack.ts';

const stack = suiteStack();
let scratch: string;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('differential');
  stack.defer(() => directory.remove());
  scratch = directory.path;
});

/** Where Refwarden answers otherwise than cosign, on purpose. */
const cosignDifferences: readonly KnownDifference[] = [
  ...['cyclonedx', 'provenance', 'provenance-github', 'spdx', 'spdx-keyless'].map((attestation) => ({
    about: `attest-${attestation}-bundle`,
    asked: 'signature',
    why: 'cosign verify takes any statement about the image for its signature; here only the predicate of cosign sign is one (T16).',
  })),
  {
    about: 'key-bundle-message',
    asked: 'signature',
    why: 'A bundle with a signature over the bytes of the manifest: cosign accepts it by verify-blob and does not look for it by verify.',
  },
];

describe('cosign', () => {
  const comparisons: Comparison[] = [];
  let compare: Awaited<ReturnType<typeof prepareComparisons>>;
  beforeAll(async () => {
    const registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
    stack.defer(() => registry.close());
    compare = await prepareComparisons({ registry, cosign: await makeCosign(scratch), scratch });
  });

  it.each(fixtureImages())('was asked about $name, $digest', async (image) => {
    const asked = await compare(image);
    comparisons.push(...asked);
    expect(asked.length).toBeGreaterThan(0);
  });

  it('says what Refwarden says, but for the differences that are explained', () => {
    process.stdout.write(comparisonTable('cosign', comparisons, cosignDifferences));
    expect(unexplained(comparisons, cosignDifferences)).toEqual({ differences: [], stale: [] });
  });
});

describe('notation-go', () => {
  it('says what Refwarden says, but for the differences that are explained', async () => {
    const notation = await makeNotation(scratch);
    const fixtures = join(import.meta.dirname, '..', 'test', 'fixtures', 'notation');
    const verdicts = JSON.parse(await notation(['verify', fixtures])) as Record<
      string,
      { verdict: 'accepted' | 'refused'; error?: string }
    >;
    const { cases } = readNotationCases();
    const comparisons: Comparison[] = [];
    for (const each of cases) {
      const verifier = createVerifier({ revocation: notationRevocation(each) });
      // As notation-go, by the clock.
      const { evidence, rejections } = await verifier.verify(notationRequest(each, Date.now()));
      const code = rejections.map((rejection) => rejection.code).join(' ');
      comparisons.push({
        about: each.name,
        reference: verdicts[each.name]?.verdict ?? 'refused',
        ours: evidence.length > 0 ? 'accepted' : 'refused',
        detail: [code, verdicts[each.name]?.error]
          .filter((text) => text !== undefined && text !== '')
          .join(' | '),
      });
    }
    const known = cases.flatMap(({ name, difference: why }) =>
      why === undefined ? [] : [{ about: name, why }],
    );
    process.stdout.write(comparisonTable('notation-go', comparisons, known));
    expect(Object.keys(verdicts).sort()).toEqual(cases.map(({ name }) => name).sort());
    expect(unexplained(comparisons, known)).toEqual({ differences: [], stale: [] });
  });
});
