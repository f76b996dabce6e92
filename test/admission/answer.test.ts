import { describe, expect, it } from 'vitest';
import { answerReview, denialMessage } from '../../src/admission/answer.ts';
import type { ImageVerdict } from '../../src/admission/verdict.ts';
import { failure } from '../../src/failures/failure.ts';
import { parseDigest } from '../../src/image/digest.ts';
import { sampleCheck, sampleDigest, sampleImage, sampleVerdict } from '../support/sample-verdict.ts';

const admitted = sampleImage({
  image: 'ghcr.io/acme/proxy:2',
  outcome: 'passed',
  checks: [sampleCheck({ outcome: 'passed', blocks: false, message: 'signature by acme-release' })],
});
const stranger = sampleCheck({
  code: 'SignerNotTrusted',
  message:
    'asks for a signature by acme-release. Found 1: dev@acme.com (https://accounts.google.com). Not listed.',
});

/** An image that was never resolved. */
function withoutDigest(change: Partial<ImageVerdict>): ImageVerdict {
  const image = { ...sampleImage(change) };
  delete (image as { digest?: unknown }).digest;
  return image;
}

describe('denialMessage', () => {
  it('says which image, which container, what was found and what to do', () => {
    const verdict = sampleVerdict({ images: [admitted, sampleImage({ checks: [stranger] })] });
    expect(denialMessage(verdict)).toBe(
      `2 images, 1 not admitted
ghcr.io/acme/app:1.4 (sha256:abababab), container "app"
  SignerNotTrusted: policy prod-release (signed): asks for a signature by acme-release. Found 1: dev@acme.com (https://accounts.google.com). Not listed.
  Sign with a key or identity of a listed issuer, or add the signer as a TrustedIssuer. Details: refwarden check --policies DIR --namespace shop-prod --explain ghcr.io/acme/app:1.4@${sampleDigest}`,
    );
  });

  it('shows a pinned image as it was written', () => {
    const shown = (image: string): string | undefined =>
      denialMessage(sampleVerdict({ images: [sampleImage({ image, checks: [stranger] })] })).split('\n')[1];
    expect(shown(`ghcr.io/acme/app:1.4@${sampleDigest}`)).toBe(
      'ghcr.io/acme/app:1.4 (sha256:abababab), container "app"',
    );
    expect(shown(`ghcr.io:5000/acme/app@${sampleDigest}`)).toBe(
      `ghcr.io:5000/acme/app@${sampleDigest} (sha256:abababab), container "app"`,
    );
  });

  it('names each field of an image, namespaced policies with their namespace, and an image without a digest', () => {
    const fields = [
      { path: 'a', name: 'init', role: 'initContainer' },
      { path: 'b', name: 'debug', role: 'ephemeralContainer' },
      { path: 'c', name: 'data', role: 'imageVolume' },
    ] as const;
    const unresolved = withoutDigest({
      fields,
      checks: [
        sampleCheck({
          policy: 'shop/prod-release',
          code: 'RegistryTimeout',
          outcome: 'inconclusive',
          message: 'Late.',
        }),
      ],
    });
    expect(denialMessage(sampleVerdict({ images: [unresolved] }))).toBe(
      `1 image, 1 not admitted
ghcr.io/acme/app:1.4, init container "init", ephemeral container "debug", image volume "data"
  RegistryTimeout: policy shop/prod-release (signed): Late.
  Try again: what arrives meanwhile is kept; if it stays, look at the registry. Details: refwarden check --policies DIR --namespace shop-prod --explain ghcr.io/acme/app:1.4`,
    );
  });

  it('repeats no digest that the image names itself', () => {
    const reference = `ghcr.io/acme/app@${sampleDigest}`;
    expect(denialMessage(sampleVerdict({ images: [sampleImage({ image: reference, reference })] }))).toMatch(
      new RegExp(`--explain ${reference}$`),
    );
  });

  it('says what is wrong with the review as a whole', () => {
    const verdict = sampleVerdict({
      images: [],
      failure: failure('PoliciesNotLoaded', 'No policies have been loaded yet.'),
    });
    expect(denialMessage(verdict)).toBe(
      'PoliciesNotLoaded: No policies have been loaded yet.\nWait until the process is ready; its log says what is missing.',
    );
  });

  it('T31 is bounded in images, checks and fields', () => {
    const checks = Array.from({ length: 30 }, (_, i) => sampleCheck({ requirement: `r${i}` }));
    const fields = Array.from({ length: 30 }, (_, i) => ({
      path: '',
      name: `f${i}`,
      role: 'container' as const,
    }));
    const lines = denialMessage(
      sampleVerdict({ images: Array.from({ length: 50 }, () => sampleImage({ checks, fields })) }),
    ).split('\n');
    expect(lines[0]).toBe('50 images, 50 not admitted');
    expect(lines.at(-1)).toBe('... and 40 more images');
    // Per image: itself, four checks, how many more, what to do.
    expect(lines).toHaveLength(1 + 10 * 7 + 1);
    expect(lines[6]).toBe('  ... and 26 more checks');
    expect(lines[1]).toContain('container "f3"');
    expect(lines[1]).not.toContain('f4');
  });

  it('T31 shortens an image text of megabytes, wherever it is shown', () => {
    const long = withoutDigest({
      image: 'a'.repeat(3_000_000),
      fields: [{ path: '', name: 'b'.repeat(100_000), role: 'container' }],
      checks: [sampleCheck({ message: 'c'.repeat(100_000) }), sampleCheck({ mode: 'Warn', blocks: false })],
    });
    delete (long as { reference?: unknown }).reference;
    const answer = answerReview(sampleVerdict({ images: [long] }));
    expect(answer.message).toContain(`${'a'.repeat(300)}...`);
    expect(answer.message.length).toBeLessThan(10_000);
    expect(answer.warnings.join().length).toBeLessThan(1000);
    expect(JSON.stringify(answer.auditAnnotations).length).toBeLessThan(3000);
  });

  it('T31 lets nothing that others wrote begin a line or steer a terminal', () => {
    const forged = sampleImage({
      image: 'evil\n0 images, 0 not admitted\u001b[2J',
      fields: [{ path: '', name: 'a"\nb', role: 'container' }],
      checks: [sampleCheck({ message: 'by mallory\r\nAll is well\u2028\u202egnirts\u0000\u0085' })],
    });
    const lines = denialMessage(sampleVerdict({ images: [forged] })).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('evil 0 images, 0 not admitted\ufffd[2J');
    expect(lines[2]).toBe(
      '  SignatureMissing: policy prod-release (signed): by mallory\ufffd All is well\ufffd\ufffdgnirts\ufffd\ufffd',
    );
    const whole = denialMessage(
      sampleVerdict({ images: [], failure: failure('ReviewInvalid', 'kind is "x\n\u001b".') }),
    );
    expect(whole.split('\n')).toHaveLength(2);
    expect(whole).not.toContain('\u001b');
  });
});

describe('answerReview', () => {
  it('says nothing to what is admitted without a warning', () => {
    expect(answerReview(sampleVerdict({ outcome: 'admitted', allowed: true, images: [admitted] }))).toEqual({
      allowed: true,
      message: '',
      warnings: [],
      auditAnnotations: {
        images: JSON.stringify([{ image: 'ghcr.io/acme/proxy:2', digest: sampleDigest, outcome: 'passed' }]),
        policies: JSON.stringify([
          {
            image: 'ghcr.io/acme/proxy:2',
            policy: 'prod-release',
            requirement: 'signed',
            mode: 'Enforce',
            outcome: 'passed',
            code: 'SignatureMissing',
          },
        ]),
      },
    });
  });

  it('T20 answers only by what the verdict says is allowed', () => {
    expect(answerReview(sampleVerdict({ allowed: false, outcome: 'inconclusive' })).allowed).toBe(false);
    expect(answerReview(sampleVerdict()).message).toContain('1 image, 1 not admitted');
  });

  it('warns of what failed and did not block, code and image first, and never of Audit', () => {
    const checks = [
      sampleCheck({ mode: 'Warn', blocks: false, message: 'asks for\ntwo lines' }),
      sampleCheck({ mode: 'Audit', blocks: false, requirement: 'audited' }),
      sampleCheck({
        mode: 'Enforce',
        blocks: false,
        outcome: 'inconclusive',
        code: 'RegistryTimeout',
        message: 'Late.',
      }),
      sampleCheck({ requirement: 'blocking' }),
      sampleCheck({ outcome: 'passed', blocks: false, requirement: 'fine' }),
    ];
    expect(answerReview(sampleVerdict({ images: [sampleImage({ checks })] })).warnings).toEqual([
      'SignatureMissing ghcr.io/acme/app:1.4: policy prod-release (signed): asks for two lines',
      'RegistryTimeout ghcr.io/acme/app:1.4: policy prod-release (signed): Late.',
    ]);
  });

  it('warns of no more than a caller is shown', () => {
    const checks = Array.from({ length: 600 }, () => sampleCheck({ mode: 'Warn', blocks: false }));
    const images = [sampleImage({ checks }), sampleImage({ checks })];
    expect(answerReview(sampleVerdict({ images })).warnings).toHaveLength(500);
  });

  it('annotates with the fixed keys alone, bounded, and not at all without images', () => {
    const other = parseDigest(`sha256:${'cd'.repeat(32)}`);
    const answer = answerReview(
      sampleVerdict({ images: Array.from({ length: 300 }, () => sampleImage({ digest: other })) }),
    );
    expect(Object.keys(answer.auditAnnotations)).toEqual(['images', 'policies']);
    for (const key of ['images', 'policies']) {
      const shown = JSON.parse(answer.auditAnnotations[key] ?? '') as unknown[];
      expect([shown.length, shown.at(-1)]).toEqual([101, { notShown: 200 }]);
    }
    expect(answerReview(sampleVerdict({ images: [] })).auditAnnotations).toEqual({});
    const long = Array.from({ length: 300 }, () => sampleImage({ image: 'b'.repeat(400) }));
    for (const value of Object.values(answerReview(sampleVerdict({ images: long })).auditAnnotations)) {
      expect(value.length).toBeLessThanOrEqual(16_030);
      expect((JSON.parse(value) as unknown[]).length).toBeGreaterThan(20);
    }
  });
});
