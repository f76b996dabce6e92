import { describe, expect, it } from 'vitest';
import {
  image,
  oidcIssuer,
  subject,
  statement,
  keyless,
  signed,
  verifyText,
  verify,
  edited,
  refused,
  logged,
} from '../../support/own-sigstore.ts';

describe('the bundle as a document', () => {
  it.each([
    [
      'T26 a repeated key',
      () => JSON.stringify(logged.bundle).replace('{', '{"mediaType":"x",'),
      'The bundle has the key "mediaType" twice in one object.',
    ],
    [
      'T26 __proto__',
      () => JSON.stringify(logged.bundle).replace('{', '{"__proto__":{},'),
      'The bundle has a key "__proto__".',
    ],
    [
      'T26 deep nesting',
      () => JSON.stringify(logged.bundle).replace('{', `{"x":${'['.repeat(200)}${']'.repeat(200)},`),
      'The bundle is nested deeper than 128.',
    ],
    ['text', () => 'bundle', 'The bundle is not valid JSON.'],
    [
      'no signature',
      () => JSON.stringify(edited(logged, (bundle) => (bundle.dsseEnvelope.signatures = []))),
      'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.',
    ],
    [
      'two signatures',
      () =>
        JSON.stringify(
          edited(logged, ({ dsseEnvelope: { signatures } }) => signatures.push({ sig: 'AAAA' })),
        ),
      'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.',
    ],
  ])('is refused with %s', async (_what, text, message) => {
    refused(await verifyText(text(), keyless()), 'PayloadInvalid', message);
  });

  it('is refused in a version to come', async () => {
    const bundle = edited(
      logged,
      (copy) => (copy.mediaType = 'application/vnd.dev.sigstore.bundle.v0.9+json'),
    );
    refused(
      await verify(bundle, keyless()),
      'FormatUnsupported',
      'The bundle is of another version than v0.1 to v0.3.',
    );
  });

  it('T16 T15 is refused when its statement is signed, and is about another image or no statement', async () => {
    const other = await signed({
      statement: { ...statement, subject: [{ digest: { sha256: 'b2'.repeat(32) } }] },
    });
    refused(
      await verify(other.bundle, keyless()),
      'SubjectMismatch',
      `Signed by ${subject} (${oidcIssuer}) for sha256:${'b2'.repeat(32)}, not for ${image}.`,
    );
    const link = await signed({ statement: { ...statement, _type: 'https://in-toto.io/Link/v1' } });
    refused(
      await verify(link.bundle, keyless()),
      'PayloadInvalid',
      'The statement is not an in-toto statement v0.1 or v1.',
    );
  });

  it('keeps an attestation whose SBOM does not parse, without the SBOM', async () => {
    const sbom = await signed({
      statement: {
        ...statement,
        predicateType: 'https://spdx.dev/Document',
        predicate: { spdxVersion: 'SPDX-9' },
      },
    });
    const { evidence, rejections } = await verify(sbom.bundle, keyless());
    expect(evidence).toMatchObject([{ kind: 'attestation', predicateType: 'https://spdx.dev/Document' }]);
    expect(evidence[0]).not.toHaveProperty('sbom');
    expect(rejections).toMatchObject([
      {
        code: 'FormatUnsupported',
        message: 'The SBOM is SPDX-9. Make it SPDX 2.2 or 2.3 JSON, or CycloneDX 1.2 to 1.7 JSON.',
      },
    ]);
  });
});
