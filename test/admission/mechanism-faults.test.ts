import { describe, expect, it } from 'vitest';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { accessOf } from '../registry/registry-access.ts';
import { attach, carrierNamed, cosignTagName, holdingTag, isAsked } from '../support/carriers.ts';
import type { Target } from '../support/carriers.ts';
import { readCosignFixture } from '../support/cosign-fixture.ts';
import { breakAt, exchangeFaults } from '../support/exchange-faults.ts';
import type { FaultName } from '../support/exchange-faults.ts';
import { attachmentOf } from '../support/fixture-attachment.ts';
import { answerOf, loadFixture, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import type { FixtureDecisions, FixtureOptions } from '../support/fixture-decisions.ts';
import { fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';

const image = readCosignFixture('unsigned').image;
/** Holds the image, and is signed (test/fixtures/cosign). */
const index = parseDigest('sha256:023036b33a0b80fdf856f7511d3f1018ead08a546d8ba4b4efcf0234c731cb5e');

/** What a request is for, which decides what an answer to it means. */
type Kind = 'api' | 'tag' | 'document' | 'blob' | 'tagOfIndex' | 'tags';

/** `none`: taken for "not there"; `unseen`: nothing of it can be seen, and what is there is found. */
type Expected = `failed ${FailureCode}` | `inconclusive ${FailureCode}` | 'none' | 'unseen';

const everywhere = {
  '401': 'inconclusive RegistryUnauthorized',
  '403': 'inconclusive RegistryUnauthorized',
  '404 with HTML': 'inconclusive RegistryProtocolError',
  '405': 'inconclusive RegistryProtocolError',
  '429': 'inconclusive RegistryRateLimited',
  '500': 'inconclusive RegistryUnavailable',
  '503': 'inconclusive RegistryUnavailable',
  'no answer': 'inconclusive RegistryTimeout',
  'a reset in the middle': 'inconclusive RegistryUnavailable',
  'truncated JSON': 'inconclusive RegistryProtocolError',
  'a wrong digest': 'failed DigestMismatch',
  'a wrong length': 'inconclusive RegistryProtocolError',
  'a redirect loop': 'inconclusive RegistryProtocolError',
} as const satisfies Record<FaultName, Expected>;

/** Exactly one answer for each fault of each kind. */
const answers: Readonly<Record<Kind, Readonly<Record<FaultName, Expected>>>> = {
  // The next mechanism is asked where there is no such API. A list has no digest: it names what is not there.
  api: { ...everywhere, '404 with HTML': 'none', '405': 'none', 'a wrong digest': 'failed ArtifactMissing' },
  // Not even what the tag holds is known.
  tag: {
    ...everywhere,
    'truncated JSON': 'inconclusive DigestMismatch',
    'a wrong digest': 'inconclusive DigestMismatch',
    'a wrong length': 'inconclusive DigestMismatch',
  },
  // That the content is not what was named is certain.
  document: {
    ...everywhere,
    'truncated JSON': 'failed DigestMismatch',
    'a wrong length': 'failed DigestMismatch',
  },
  blob: {
    ...everywhere,
    'truncated JSON': 'failed SizeMismatch',
    'a wrong length': 'failed SizeMismatch',
  },
  // Asked for by HEAD, which has no body.
  tagOfIndex: {
    ...everywhere,
    'truncated JSON': 'unseen',
    'a wrong digest': 'failed ArtifactMissing',
    'a wrong length': 'unseen',
  },
  tags: { ...everywhere, 'a wrong digest': 'none' },
};

const messages: Partial<Record<FailureCode, RegExp>> = {
  RegistryUnauthorized: /refused access to .* \(40[13]\), asked without credentials\.$/,
  RegistryRateLimited: /limits the rate of requests \(429\) for /,
  RegistryUnavailable: / answered 50[03] for |: the connection failed \(UND_ERR_SOCKET\)\.$/,
  RegistryTimeout: /: no answer in time\.$/,
  RegistryProtocolError:
    /: a web page \(404\)\.|an unexpected answer \(405\)\.|redirected more than 4 times\.|not valid JSON|is not JSON|is no manifest/,
  DigestMismatch: / does not hash to (?:its digest|the digest that the registry states)\.$/,
  SizeMismatch: / has not the \d+ bytes that its descriptor states\.$/,
  ArtifactMissing: / lists sha256:\w{8} but does not have it\.$/,
};

interface Scene {
  readonly started: FixtureDecisions;
  /** What follows the repository. */
  readonly reference: string;
  readonly isThere: (method: string, path: string) => boolean;
}

type Setting = Pick<FixtureOptions, 'limits'> & { readonly hasOther: boolean };

interface Point {
  readonly point: string;
  readonly kind: Kind;
  readonly missing?: 'SbomMissing';
  /** A good artifact that nothing but this leads to; and another beside it where the setting says so. */
  readonly set: (setting: Setting) => Promise<Scene>;
}

/** What proves the same with other bytes. */
const otherThan = {
  'key-bundle': 'key-legacy',
  'key-legacy': 'key-bundle',
  'attest-spdx-legacy': 'attest-spdx-bundle',
} as const;

/** An artifact that is attached in one way, with another of the same that is attached in another. */
const carried =
  (
    name: string,
    fixture: keyof typeof otherThan,
    isThere?: (target: Target, artifact: Digest) => (method: string, path: string) => boolean,
  ): Point['set'] =>
  async ({ hasOther, limits }) => {
    const carrier = carrierNamed(name);
    const { mechanism, isElsewhere = false, listing } = carrier;
    // The fallback tag counts only where the API is not asked, which lists ORAS manifests, too.
    const needsTag = ['Referrers', 'FallbackTag', 'Oras'].includes(mechanism);
    const other = carrierNamed(needsTag ? 'CosignTag .sig' : 'Referrers');
    const isSbom = fixture.startsWith('attest');
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      serves: { ...carrier.serves, ...(needsTag ? {} : { referrers: true }) },
      ask: [...new Set([...carrier.ask, ...other.ask])],
      policies: ({ host }) =>
        fixturePolicy(
          isSbom ? sbomBy('release') : signedBy('release'),
          isElsewhere ? { evidenceRepositories: [`${host}/acme/signatures`] } : {},
        ),
      ...(limits === undefined ? {} : { limits }),
    });
    const { registry } = started;
    const home = targetOf(registry, repository);
    const target = isElsewhere ? targetOf(registry, 'acme/signatures') : home;
    const { digest } = attach(carrier, target, attachmentOf(fixture));
    if (hasOther) attach(other, home, attachmentOf(otherThan[fixture]));
    return {
      started,
      reference: `${listing.kind === 'inIndex' ? `:${holdingTag}` : ''}@${image}`,
      isThere: isThere?.(target, digest) ?? ((_, path) => isAsked(carrier, target, path)),
    };
  };

function targetOf(registry: EmbeddedRegistry, at: string): Target {
  const held = registry.store.manifest(repository, image);
  if (held === undefined) throw new Error('no image');
  const subject = { mediaType: held.mediaType, digest: image, size: held.bytes.byteLength };
  return { registry, repository: at, subject };
}

interface Walk {
  /** What follows `manifests/`, or the repository. */
  readonly path: string;
  readonly reference?: string;
  readonly options?: Partial<FixtureOptions>;
  readonly begin?: (started: FixtureDecisions) => Promise<unknown>;
  /** Leads to the index in another way, or to a signature of the image itself. */
  readonly other: 'named tag' | 'scanned tag' | 'References' | 'own signature';
}

/** A signature of an index, which counts for the image that is named. */
const walkedUp =
  ({ path, reference = `@${image}`, options = {}, begin, other }: Walk): Point['set'] =>
  async ({ hasOther, limits }) => {
    const isListed = hasOther && other === 'References';
    const ask = options.ask ?? ['CosignTag'];
    const started = await startFixtureDecisions({
      fixtures: ['index-signed-legacy'],
      serves: { references: false, referrers: false },
      policies: fixturePolicy(
        signedBy('release'),
        hasOther && other === 'named tag' ? { indexTags: ['also'] } : {},
      ),
      ...options,
      ...(isListed
        ? { ask: [...ask, 'References'], serves: { references: true, referrers: false } }
        : { ask }),
      limits: { ...options.limits, ...limits },
    });
    const { registry } = started;
    await begin?.(started);
    if (hasOther && other.endsWith('tag')) registry.store.tag(repository, 'also', index);
    if (hasOther && other === 'own signature') await loadFixture(registry, 'key-legacy');
    return { started, reference, isThere: (_, asked) => asked.endsWith(`/v2/${repository}/${path}`) };
  };

const byManifest =
  ({ repository: at }: Target, artifact: Digest) =>
  (_: string, path: string): boolean =>
    path.endsWith(`${at}/manifests/${artifact}`);
const byLayer = ({ registry, repository: at }: Target, artifact: Digest) => {
  const { bytes } = registry.store.manifest(at, artifact) ?? { bytes: Buffer.from('{}') };
  const { layers = [] } = JSON.parse(Buffer.from(bytes).toString()) as { layers?: { digest: string }[] };
  return (_: string, path: string) => layers.some(({ digest }) => path.endsWith(`${at}/blobs/${digest}`));
};
const byTag =
  ({ repository: at }: Target) =>
  (_: string, path: string) =>
    path.endsWith(`${at}/manifests/${holdingTag}`);

const points: readonly Point[] = [
  {
    point: 'the references API',
    kind: 'api',
    set: carried('References, on the manifest', 'key-bundle'),
  },
  { point: 'the referrers API', kind: 'api', set: carried('Referrers', 'key-bundle') },
  { point: 'the ORAS API of rc.1', kind: 'api', set: carried('Oras of rc.1 and rc.2', 'key-legacy') },
  { point: 'the ORAS API of draft.1', kind: 'api', set: carried('Oras of draft.1', 'key-legacy') },
  { point: 'the fallback tag', kind: 'tag', set: carried('FallbackTag', 'key-bundle') },
  { point: 'the .sig tag', kind: 'tag', set: carried('CosignTag .sig', 'key-legacy') },
  {
    point: 'the .att tag',
    kind: 'tag',
    missing: 'SbomMissing',
    set: carried('CosignTag .att', 'attest-spdx-legacy'),
  },
  {
    point: 'the .sbom tag',
    kind: 'tag',
    missing: 'SbomMissing',
    set: carried('CosignTag .sbom', 'attest-spdx-legacy'),
  },
  {
    point: 'the referrers API of a further repository',
    kind: 'api',
    set: carried('Referrers of a further repository', 'key-bundle'),
  },
  {
    point: 'the fallback tag of a further repository',
    kind: 'tag',
    set: carried('FallbackTag of a further repository', 'key-bundle'),
  },
  {
    point: 'the .sig tag of a further repository',
    kind: 'tag',
    set: carried('CosignTag .sig of a further repository', 'key-legacy'),
  },
  {
    point: 'an artifact that is listed',
    kind: 'document',
    set: carried('Referrers', 'key-bundle', byManifest),
  },
  { point: 'the layer of an artifact', kind: 'blob', set: carried('Referrers', 'key-bundle', byLayer) },
  {
    point: 'the layer under a .sig tag',
    kind: 'blob',
    set: carried('CosignTag .sig', 'key-legacy', byLayer),
  },
  {
    point: 'an attestation that an index holds',
    kind: 'document',
    missing: 'SbomMissing',
    set: carried('InIndex', 'attest-spdx-legacy', byManifest),
  },
  {
    point: 'the tag of an index that holds attestations',
    kind: 'tagOfIndex',
    missing: 'SbomMissing',
    set: carried('InIndex', 'attest-spdx-legacy', byTag),
  },
  {
    point: 'the references API, for parents',
    kind: 'api',
    set: walkedUp({
      path: `manifests/${image}/references`,
      options: { ask: ['References', 'CosignTag'], serves: { references: true, referrers: false } },
      other: 'named tag',
    }),
  },
  {
    point: 'the tag beside a digest',
    kind: 'tagOfIndex',
    set: walkedUp({ path: 'manifests/1.4.0', reference: `:1.4.0@${image}`, other: 'named tag' }),
  },
  {
    point: 'the index under the tag beside a digest',
    kind: 'document',
    set: walkedUp({
      path: `manifests/${index}`,
      reference: `:1.4.0@${image}`,
      other: 'own signature',
    }),
  },
  {
    point: 'an index that was seen before, fetched again',
    kind: 'document',
    set: walkedUp({
      path: `manifests/${index}`,
      options: { limits: { manifestCacheBytes: 1 } },
      begin: ({ registry, source }) =>
        source.fetchParsed({ registry: registry.host, repository, digest: index }, accessOf()),
      other: 'own signature',
    }),
  },
  {
    point: 'the signature of an index',
    kind: 'tag',
    set: walkedUp({
      path: `manifests/${cosignTagName(index, 'sig')}`,
      reference: `:1.4.0@${image}`,
      other: 'own signature',
    }),
  },
  {
    point: 'the list of tags to scan',
    kind: 'tags',
    set: walkedUp({
      path: 'tags/list',
      options: { ask: ['CosignTag', 'TagScan'] },
      other: 'References',
    }),
  },
  {
    point: 'a tag that is scanned',
    kind: 'tagOfIndex',
    set: walkedUp({
      path: 'manifests/1.4.0',
      options: { ask: ['CosignTag', 'TagScan'] },
      other: 'scanned tag',
    }),
  },
];

const faultNames = Object.keys(exchangeFaults) as FaultName[];

describe.each(points)('$point', ({ kind, missing = 'SignatureMissing', set }) => {
  it('leads to a good artifact, and nothing else does', async () => {
    const { started, reference, isThere } = await set({ hasOther: false });
    expect(answerOf(await started.decide(reference))).toBe('admitted');
    expect(started.registry.requests.some(({ method, path }) => isThere(method, path))).toBe(true);
  });

  describe.each(faultNames)('answers %s', (name) => {
    const expected = answers[kind][name];
    // Nothing else waits for the time of a request.
    const limits = name === 'no answer' ? { requestTimeoutMs: 250 } : {};

    it(`T28 and that is ${expected}`, async () => {
      const { started, reference, isThere } = await set({ hasOther: false, limits });
      breakAt(started.registry, isThere, exchangeFaults[name]);
      const verdict = await started.decide(reference);
      expect(started.registry.requests.some(({ method, path }) => isThere(method, path))).toBe(true);
      if (expected === 'unseen') {
        expect(answerOf(verdict)).toBe('admitted');
        return;
      }
      expect(verdict.allowed).toBe(false);
      const [outcome, code = missing] = expected === 'none' ? ['failed'] : expected.split(' ');
      const check = verdict.images[0]?.checks[0];
      expect([check?.outcome, check?.code]).toEqual([outcome, code]);
      expect(answerOf(verdict)).toBe(`${outcome === 'failed' ? 'denied' : 'inconclusive'} ${code}`);
      if (expected !== 'none') {
        expect(check?.message).toMatch(messages[code as FailureCode] ?? /^$/);
        expect(check?.message).toContain(started.registry.host);
      }
      expect(check?.message).not.toMatch(/<html|manifests"/);
    });

    it('T29 and what another way leads to is admitted', async () => {
      const { started, reference, isThere } = await set({ hasOther: true, limits });
      breakAt(started.registry, isThere, exchangeFaults[name]);
      expect(answerOf(await started.decide(reference))).toBe('admitted');
    });
  });
});
