import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { makeChain } from '../../support/notation-certificates.ts';
import {
  envelopeOf,
  formats,
  imageDigest,
  notationIssuer,
  notationRequest,
} from '../../support/notation-requests.ts';
import type { Format } from '../../support/notation-requests.ts';

const verifier = createVerifier();

/** One byte changed, some left out, or some repeated. */
const edit = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 40 }) }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: Uint8Array, { kind, at, value }: Edit): Uint8Array {
  const place = at % Math.max(bytes.length, 1);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === 'set') return Buffer.concat([before, Buffer.of(value), after.subarray(1)]);
  if (kind === 'cut') return Buffer.concat([before, after.subarray(value)]);
  return Buffer.concat([before, after.subarray(0, value), after]);
}

it.each(Object.keys(formats) as Format[])(
  'T26 whatever is done to %s, it is signed as it was or is refused by name',
  async (format) => {
    const chain = await makeChain();
    const good = envelopeOf(format, chain);
    const issuers = [notationIssuer(chain.root)];
    const [proof] = (await verifier.verify(notationRequest(format, good, issuers))).evidence;
    expect(proof?.subject).toBe(imageDigest);
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const bytes = edits.reduce(apply, good);
        const { evidence, rejections } = await verifier.verify(notationRequest(format, bytes, issuers));
        // What is not signed may change: the name of the signing tool.
        if (evidence.length > 0) expect(evidence).toEqual([proof]);
        else expect(rejections.map(({ code }) => code)).not.toContain('InternalError');
        expect(evidence.length + rejections.length).toBe(1);
      }),
      { numRuns: 400 },
    );
  },
);
