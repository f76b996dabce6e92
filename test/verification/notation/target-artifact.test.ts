import { describe, expect, it } from 'vitest';
import { parsePayload, targetProblem } from '../../../src/verification/notation/target-artifact.ts';
import { failureOf } from '../../support/failure-of.ts';
import { imageBytes, imageDigest } from '../../support/notation-requests.ts';

const targetArtifact = { mediaType: 'a/b', digest: imageDigest, size: imageBytes.length };
const parse = (json: unknown): unknown => parsePayload(Buffer.from(JSON.stringify(json)));

describe('parsePayload', () => {
  it('reads the target, and leaves out everything else', () => {
    expect(parse({ targetArtifact: { ...targetArtifact, annotations: { a: 'b' } }, other: 1 })).toEqual(
      targetArtifact,
    );
  });

  it.each([
    ['a list', [], 'is no object'],
    ['text', 'x', 'is no object'],
    ['nothing', null, 'is no object'],
    ['no target', {}, 'names no targetArtifact'],
    ['a target that is a list', { targetArtifact: [] }, 'names no targetArtifact'],
    ...(['mediaType', 'digest', 'size'] as const).flatMap((field): [string, object, string][] => [
      [
        `no ${field}`,
        { targetArtifact: { ...targetArtifact, [field]: undefined } },
        'names a targetArtifact without mediaType, digest or size',
      ],
      [
        `a ${field} of another type`,
        { targetArtifact: { ...targetArtifact, [field]: field === 'size' ? '1' : 1 } },
        'names a targetArtifact without mediaType, digest or size',
      ],
    ]),
    ['Digest', { targetArtifact: { ...targetArtifact, Digest: 'x' } }, 'spells a field as "Digest"'],
  ])('refuses %s', (_what, json, why) => {
    expect(failureOf(() => parse(json))).toBe(`PayloadInvalid: The signed payload ${why}.`);
  });
});

describe('T15 targetProblem', () => {
  it('is that there is nothing that the signature could be for', () => {
    expect(targetProblem(targetArtifact, undefined, imageBytes)).toBe(
      `The signature is for ${imageDigest}, not for nothing.`,
    );
  });

  it('is that size and media type are not known without the bytes, or with others', () => {
    const unknown = `The size and media type of ${imageDigest} are not known: its bytes were not given.`;
    expect(targetProblem(targetArtifact, imageDigest, undefined)).toBe(unknown);
    expect(targetProblem(targetArtifact, imageDigest, Buffer.from('other'))).toBe(unknown);
  });
});
