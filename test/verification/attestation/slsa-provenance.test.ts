import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/oci/strict-json.ts';
import type { ProvenanceView } from '../../../src/verification/attestation/provenance-view.ts';
import { maxMaterials, readProvenance } from '../../../src/verification/attestation/slsa-provenance.ts';

const v02 = 'https://slsa.dev/provenance/v0.2';
const v1 = 'https://slsa.dev/provenance/v1';
const commit = '5f0c1d2e3b4a59687786958473625140fedcba98';
const other = 'aa'.repeat(20);
const shop = 'https://github.com/acme/shop';

function read(type: string, predicate: JsonObject): ProvenanceView {
  const view = readProvenance(type, predicate);
  if (view === undefined) throw new Error(`${type} is the type of no provenance`);
  return view;
}
const built = (
  externalParameters: JsonObject,
  resolvedDependencies: JsonObject[] = [],
  metadata: JsonObject = {},
): JsonObject => ({
  buildDefinition: { buildType: 'https://example.com/build', externalParameters, resolvedDependencies },
  runDetails: { builder: { id: 'https://example.com/builder' }, metadata },
});
const sourceOf = (...build: Parameters<typeof built>): readonly string[] => {
  const { sourceUri, sourceRef, sourceDigest } = read(v1, built(...build));
  return [sourceUri, sourceRef, sourceDigest];
};
const material = (uri: string, digest: JsonObject = { gitCommit: commit }): JsonObject => ({ uri, digest });

describe('SLSA provenance v1', () => {
  it('says who built what, when', () => {
    const metadata = { invocationId: 'run-1', startedOn: 'a', finishedOn: 'b' };
    expect(read(v1, built({}, [material('git+https://example.com/x@main')], metadata))).toEqual({
      builder: 'https://example.com/builder',
      buildType: 'https://example.com/build',
      sourceUri: '',
      sourceRef: '',
      sourceDigest: '',
      invocationId: 'run-1',
      startedOn: 'a',
      finishedOn: 'b',
      materials: [{ uri: 'git+https://example.com/x@main', digest: { gitCommit: commit } }],
    });
  });

  it("has BuildKit's spelling of the invocation, too", () => {
    expect(read(v1, built({}, [], { invocationID: 'rpv7a389' })).invocationId).toBe('rpv7a389');
  });

  const tag = 'refs/tags/v1.4.0';
  it.each<[string, JsonObject, JsonObject[], readonly string[]]>([
    [
      'GitHub and npm say as workflow',
      { workflow: { repository: shop, ref: tag, path: '.github/workflows/release.yml' } },
      [material(`git+${shop}@${tag}`)],
      [shop, tag, commit],
    ],
    [
      'Google Cloud Build says as buildConfigSource',
      { buildConfigSource: { repository: `git+${shop}`, ref: tag, path: 'cloudbuild.yaml' } },
      [material(`git+${shop}@${tag}`, { sha1: commit })],
      [shop, tag, commit],
    ],
    [
      'BuildKit says as configSource',
      { configSource: { uri: `${shop}.git#${tag}`, digest: { sha1: commit } } },
      [],
      [shop, tag, commit],
    ],
    [
      'container-based builds say as source',
      { source: { uri: `git+${shop}@${tag}`, digest: { sha1: commit.toUpperCase() } } },
      [],
      [shop, tag, commit],
    ],
    [
      'GitLab says as source, with a commit that it calls sha256',
      { source: 'https://gitlab.com/acme/shop' },
      [material('https://gitlab.com/acme/shop', { sha256: commit })],
      ['https://gitlab.com/acme/shop', '', commit],
    ],
    [
      "is not in BuildKit's with a local directory",
      { configSource: { path: 'Dockerfile' } },
      [],
      ['', '', ''],
    ],
    [
      'says its reference in the material alone',
      { source: shop },
      [material(`git+${shop}@${tag}`)],
      [shop, tag, commit],
    ],
  ])('has the source that %s', (_what, parameters, materials, expected) => {
    expect(sourceOf(parameters, materials)).toEqual(expected);
  });

  it('T37 takes no material for the source: it may be any dependency', () => {
    expect(sourceOf({}, [material(`git+${shop}@refs/heads/main`)])).toEqual(['', '', '']);
  });

  it('takes the commit of no other repository and of no other reference', () => {
    const workflow = { repository: shop, ref: 'refs/tags/v1.4.0' };
    const others = [
      material('git+https://github.com/acme/shop-tools@refs/tags/v1.4.0'),
      material(`git+${shop}@refs/heads/main`),
      material(`git+https://evil.example/@${shop}`),
    ];
    expect(sourceOf({ workflow }, others)).toEqual([shop, 'refs/tags/v1.4.0', '']);
  });

  it('has no commit where two are said', () => {
    const workflow = { repository: shop, ref: '' };
    const both = [material(`git+${shop}`), material(`git+${shop}`, { gitCommit: other })];
    expect(sourceOf({ workflow }, both)).toEqual([shop, '', '']);
  });

  it.each(['main', commit.slice(1), `${commit}0`, `${commit}\n`, 'g'.repeat(40)])(
    'takes %j for no commit',
    (gitCommit) => {
      expect(sourceOf({ workflow: { repository: shop } }, [material(`git+${shop}`, { gitCommit })])).toEqual([
        shop,
        '',
        '',
      ]);
    },
  );

  it('passes over parameters of a build type that has other things in their place', () => {
    expect(sourceOf({ workflow: 'release', configSource: [], source: { uri: 1 } })).toEqual(['', '', '']);
  });
});

describe('SLSA provenance v0.2', () => {
  it.each(['buildInvocationId', 'buildInvocationID'])('says the same, with %s', (name) => {
    const predicate = {
      builder: { id: 'https://example.com/builder' },
      buildType: 'https://example.com/build',
      invocation: { configSource: { uri: `git+${shop}@refs/tags/v1.4.0`, digest: { sha1: commit } } },
      metadata: { [name]: 'run-1', buildStartedOn: 'a', buildFinishedOn: 'b' },
      materials: null,
    };
    expect(read(v02, predicate)).toEqual({
      builder: 'https://example.com/builder',
      buildType: 'https://example.com/build',
      sourceUri: shop,
      sourceRef: 'refs/tags/v1.4.0',
      sourceDigest: commit,
      invocationId: 'run-1',
      startedOn: 'a',
      finishedOn: 'b',
      materials: [],
    });
  });

  it('takes the commit of the material where the source has none', () => {
    const predicate = {
      builder: { id: '' },
      invocation: { configSource: { uri: `git+${shop}@main` } },
      materials: [
        material('pkg:docker/alpine@3.21', { sha256: 'ab'.repeat(32) }),
        material(`git+${shop}@main`),
      ],
    };
    expect(read(v02, predicate)).toMatchObject({ builder: '', sourceDigest: commit });
  });
});

describe('what is no provenance that is read', () => {
  it.each([
    [
      'https://slsa.dev/provenance/v0.1',
      {},
      'FormatUnsupported',
      'The provenance is of a version other than SLSA v0.2 and v1.',
    ],
    [
      'https://slsa.dev/provenance/v1.0',
      {},
      'FormatUnsupported',
      'The provenance is of a version other than SLSA v0.2 and v1.',
    ],
    [v1, [], 'PayloadInvalid', 'The provenance is not a JSON object.'],
    [v1, {}, 'PayloadInvalid', 'The provenance has no builder.'],
    [v02, {}, 'PayloadInvalid', 'The provenance has no builder.'],
    [v1, { runDetails: { builder: { id: 7 } } }, 'PayloadInvalid', 'The field "id" is not text.'],
    [v1, built({}, [{ uri: 'x', digest: { sha1: 1 } }]), 'PayloadInvalid', 'The field "sha1" is not text.'],
    [
      v1,
      built(
        {},
        Array.from({ length: maxMaterials + 1 }, () => ({})),
      ),
      'ArtifactTooLarge',
      `The provenance has more than ${maxMaterials} materials.`,
    ],
    [
      v1,
      built({}, [
        material('x', Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`a${index}`, '']))),
      ]),
      'ArtifactTooLarge',
      'The provenance has more than 16 digests of one material.',
    ],
  ])('%s: %#', (type, predicate, code, message) => {
    expect(() => readProvenance(type, predicate)).toThrow(
      expect.objectContaining({ code, message }) as Error,
    );
  });

  it('T26 keeps an algorithm called __proto__ to itself', () => {
    const digest = JSON.parse('{"__proto__":"x"}') as JsonObject;
    const [entry] = read(v1, built({ source: 'x' }, [{ uri: 'x', digest }])).materials;
    expect(Object.keys(entry?.digest ?? {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(entry?.digest)).toBe(Object.prototype);
  });
});
