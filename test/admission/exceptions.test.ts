import { describe, expect, it } from 'vitest';
import { answerReview } from '../../src/admission/answer.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { digestOf, image } from '../policy/sample-evidence.ts';
import {
  clusterPolicy,
  compile,
  exception,
  keyIssuer,
  namespacedPolicy,
  sbomBy,
  signedBy,
  unreadable,
} from '../policy/sample-resources.ts';
import type { Fields } from '../policy/sample-resources.ts';
import {
  decideOn as decide,
  imageText,
  outcomes,
  pod,
  ScriptedSource,
  signed,
  end,
  startMs,
} from './sample-decision.ts';
import type { Decision, Script } from './sample-decision.ts';
import type { DecisionOptions } from '../../src/admission/decide.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import type { Workload } from '../../src/admission/workload.ts';

const prod = (spec: Fields = {}): Fields =>
  clusterPolicy('prod', { require: [signedBy('acme'), sbomBy('acme')], ...spec });
const snapshotOf = (...resources: Fields[]): PolicySnapshot => compile([keyIssuer('acme'), ...resources]);
const byDigest = `ghcr.io/acme/app@${image}`;
const other = digestOf('another image');
const hotfix = (spec: Fields = {}, metadata?: Fields): Fields =>
  exception('hotfix', { images: [byDigest], ...spec }, metadata);
const unreachable: Script = {
  resolve: () => Promise.reject(new RefwardenError('RegistryUnavailable', 'The registry is down.')),
};

const decideOn = (
  workload: Workload,
  decision: Decision,
  options?: Partial<DecisionOptions>,
): Promise<Verdict> => decide(decision, workload, options);

describe('an exception', () => {
  it('T01 by digest is of the digest that is judged, though the tag moves meanwhile', async () => {
    const answers = [image];
    const source = new ScriptedSource({
      resolve: () => Promise.resolve({ digest: answers.shift() ?? other }),
      referrers: () => [signed(), end()],
    });
    const policies = snapshotOf(prod(), hotfix({ policies: [{ name: 'prod', requirements: ['sbom'] }] }));
    const template = pod([imageText], { isTemplate: true, kind: 'Deployment' });
    const verdict = await decideOn(template, { policies, source });
    expect(verdict).toMatchObject({ outcome: 'admitted', images: [{ digest: image }] });
    expect(source.resolved).toHaveLength(1);
  });

  it('stands in for every requirement of its policy, without a request', async () => {
    const source = new ScriptedSource();
    const policies = snapshotOf(prod(), hotfix());
    const verdict = await decideOn(pod([byDigest]), { policies, source });
    expect(verdict).toMatchObject({ outcome: 'admitted', allowed: true });
    expect(verdict.images[0]?.checks.map(({ message }) => message)).toEqual([
      'excepted by hotfix until 2100-01-01T00:00:00Z: INC-4711',
      'excepted by hotfix until 2100-01-01T00:00:00Z: INC-4711',
    ]);
    expect(source.resolved).toEqual([]);
    expect(source.listed).toEqual([]);
    expect(answerReview(verdict).warnings).toEqual([]);
    expect(answerReview(verdict).auditAnnotations['policies']).toContain('"exception":"hotfix"');
  });

  it('stands in for the requirements that it names alone', async () => {
    const policies = snapshotOf(prod(), hotfix({ policies: [{ name: 'prod', requirements: ['sbom'] }] }));
    const unsigned = await decideOn(pod([byDigest]), { policies });
    expect(outcomes(unsigned)).toEqual(['failed SignatureMissing blocks', 'passed -']);
    const source = new ScriptedSource({ referrers: () => [signed(), end()] });
    const verdict = await decideOn(pod([byDigest]), { policies, source });
    expect(verdict.outcome).toBe('admitted');
    expect(source.listed.map(({ wanted }) => wanted.attestations)).toEqual([false]);
  });

  it('by digest covers a tag that means it, in a template too, and no other meaning of the tag', async () => {
    const policies = snapshotOf(prod(), hotfix());
    const template = { isTemplate: true, kind: 'Deployment' };
    expect((await decideOn(pod([imageText], template), { policies })).outcome).toBe('admitted');
    const source = new ScriptedSource({ resolve: () => Promise.resolve({ digest: other }) });
    expect((await decideOn(pod([imageText], template), { policies, source })).outcome).toBe('denied');
    const down = new ScriptedSource(unreachable);
    expect((await decideOn(pod([imageText], template), { policies, source: down })).outcome).toBe(
      'inconclusive',
    );
  });

  it('by tag is followed with a warning, also where the registry is down', async () => {
    const policies = snapshotOf(prod(), hotfix({ images: [imageText] }));
    const source = new ScriptedSource(unreachable);
    const verdict = await decideOn(pod([imageText]), { policies, source }, { mustBePinned: true });
    expect(verdict.outcome).toBe('admitted');
    expect(answerReview(verdict).warnings).toEqual([
      `ExceptedByTag ${imageText}: exception hotfix names no digest, so whatever the tag means next is excepted, too.`,
    ]);
  });

  it('by tag has the registry asked nothing, whatever digests of other images and of other policies are excepted', async () => {
    const source = new ScriptedSource();
    const staging = { policies: [{ name: 'staging', requirements: ['All'] }] };
    const policies = snapshotOf(
      prod(),
      clusterPolicy('staging', { images: ['ghcr.io/acme/staging'], require: [signedBy('acme')] }),
      hotfix({ images: [imageText] }),
      exception('other-image', { images: [`ghcr.io/acme/other@${image}`] }),
      exception('other-policy', { images: [byDigest], ...staging }),
    );
    const template = pod([imageText], { isTemplate: true, kind: 'Deployment' });
    expect((await decideOn(template, { policies, source })).outcome).toBe('admitted');
    expect(source.resolved).toEqual([]);
  });

  it('by tag counts also where another names a digest, which the tag does not mean', async () => {
    const source = new ScriptedSource();
    const policies = snapshotOf(
      prod(),
      hotfix({ images: [imageText] }),
      exception('second', { images: [`ghcr.io/acme/app@${other}`] }),
    );
    const template = pod([imageText], { isTemplate: true, kind: 'Deployment' });
    const verdict = await decideOn(template, { policies, source });
    expect(verdict.images[0]?.checks.map(({ exemption }) => exemption?.exception.name)).toEqual([
      'hotfix',
      'hotfix',
    ]);
    expect(source.resolved).toEqual([imageText]);
    const down = new ScriptedSource(unreachable);
    expect((await decideOn(template, { policies, source: down })).outcome).toBe('admitted');
  });

  it('by digest of one policy covers a tag where other policies have none', async () => {
    const source = new ScriptedSource({ referrers: () => [signed(), end()] });
    const policies = snapshotOf(
      clusterPolicy('all', { require: [signedBy('acme')] }),
      clusterPolicy('prod', { require: [sbomBy('acme')] }),
      hotfix(),
    );
    const template = pod([imageText], { isTemplate: true, kind: 'Deployment' });
    expect((await decideOn(template, { policies, source })).outcome).toBe('admitted');
  });

  it('T23 by tag is no way round for another digest that claims the tag', async () => {
    const policies = snapshotOf(prod(), hotfix({ images: [imageText] }));
    const claimed = await decideOn(pod([`${imageText}@${other}`]), { policies });
    expect(claimed.outcome).toBe('denied');
    const proven = await decideOn(pod([`${imageText}@${image}`]), { policies });
    expect(proven.outcome).toBe('admitted');
    const down = new ScriptedSource(unreachable);
    const unproven = await decideOn(pod([`${imageText}@${image}`]), { policies, source: down });
    expect(unproven.allowed).toBe(false);
  });

  it.each<[string, Fields[]]>([
    ['for another namespace', [hotfix({ namespaces: ['shop-test'] })]],
    ['for another image', [hotfix({ images: ['ghcr.io/acme/other'] })]],
    ['for another digest', [hotfix({ images: [`ghcr.io/acme/app@${other}`] })]],
    ['for another policy', [hotfix({ policies: [{ name: 'staging', requirements: ['All'] }] })]],
    ['for a requirement that there is not', [hotfix({ policies: [{ name: 'prod', requirements: ['x'] }] })]],
    ['that has expired', [hotfix({ expiresAt: '2026-06-01T12:00:00Z' })]],
    [
      'that is older than the installation allows',
      [hotfix({}, { creationTimestamp: '2026-03-03T12:00:00Z' })],
    ],
    [
      'that is put together with another: image of one, namespace of the other',
      [
        hotfix({ namespaces: ['shop-test'] }),
        exception('second', { images: ['ghcr.io/acme/other'], namespaces: ['shop'] }),
      ],
    ],
    [
      'that is put together with another: policy of one, image of the other',
      [
        hotfix({ policies: [{ name: 'staging', requirements: ['All'] }] }),
        exception('second', { images: ['ghcr.io/acme/other'] }),
      ],
    ],
  ])('T23 %s excepts nothing', async (_what, exceptions) => {
    const policies = snapshotOf(prod(), ...exceptions);
    expect((await decideOn(pod([byDigest]), { policies })).outcome).toBe('denied');
  });

  it('that is as old as the installation allows, but for a millisecond, counts', async () => {
    const creationTimestamp = new Date(startMs - 90 * 86_400_000 + 1).toISOString();
    const policies = snapshotOf(prod(), hotfix({}, { creationTimestamp }));
    expect((await decideOn(pod([byDigest]), { policies })).outcome).toBe('admitted');
    const untilThen = startMs + 1;
    const later = await decideOn(pod([byDigest]), { policies, nowMs: () => untilThen });
    expect(later.outcome).toBe('denied');
  });

  it('ends between two reviews', async () => {
    const policies = snapshotOf(prod(), hotfix({ expiresAt: new Date(startMs + 1).toISOString() }));
    expect((await decideOn(pod([byDigest]), { policies })).outcome).toBe('admitted');
    const later = await decideOn(pod([byDigest]), { policies, nowMs: () => startMs + 1 });
    expect(later.outcome).toBe('denied');
  });

  it('T23 excepts an image, never the Pod around it', async () => {
    const policies = snapshotOf(prod(), hotfix());
    const verdict = await decideOn(pod([byDigest, 'ghcr.io/acme/sidecar:1']), { policies });
    expect(verdict.outcome).toBe('denied');
    expect(verdict.images.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
  });

  it('T23 leaves a policy of the namespace in force, whatever its name', async () => {
    const own = namespacedPolicy('shop', 'prod', { require: [signedBy('acme')] });
    const verdict = await decideOn(pod([byDigest]), { policies: snapshotOf(prod(), own, hotfix()) });
    expect(outcomes(verdict)).toEqual(['failed SignatureMissing blocks', 'passed -', 'passed -']);
  });

  it('by digest takes the place of one by tag, and of its warning', async () => {
    const policies = snapshotOf(prod(), exception('a', { images: ['ghcr.io/acme/app'] }), hotfix());
    const verdict = await decideOn(pod([byDigest]), { policies });
    expect(verdict.images[0]?.checks.map(({ exemption }) => exemption?.exception.name)).toEqual([
      'hotfix',
      'hotfix',
    ]);
    expect(answerReview(verdict).warnings).toEqual([]);
  });

  it('covers a policy of which it is not known whether it applies', async () => {
    const selecting = prod({ namespaces: { matchLabels: { env: 'prod' } } });
    const policies = snapshotOf(selecting, hotfix());
    const labels = (): Promise<never> => Promise.reject(new RefwardenError('NamespaceUnknown', 'not known'));
    expect((await decideOn(pod([byDigest]), { policies, labels })).outcome).toBe('admitted');
    const without = { policies: snapshotOf(selecting), labels };
    expect((await decideOn(pod([byDigest]), without)).outcome).toBe('inconclusive');
  });

  it('by digest keeps a Pod from running by tag', async () => {
    const policies = snapshotOf(prod(), hotfix());
    const verdict = await decideOn(pod([imageText]), { policies }, { mustBePinned: true });
    expect(outcomes(verdict)).toContain('inconclusive ImageNotPinned blocks');
    expect(verdict.allowed).toBe(false);
  });

  it('by tag lets a Pod run by tag also where another names the digest', async () => {
    const policies = snapshotOf(prod(), exception('a', { images: [imageText] }), hotfix());
    const verdict = await decideOn(pod([imageText]), { policies }, { mustBePinned: true });
    expect(verdict.outcome).toBe('admitted');
    const partly = [{ name: 'prod', requirements: ['sbom'] }];
    const half = snapshotOf(prod(), exception('a', { images: [imageText], policies: partly }), hotfix());
    expect((await decideOn(pod([imageText]), { policies: half }, { mustBePinned: true })).allowed).toBe(
      false,
    );
  });

  it('T23 from one of several policies that do not parse leaves the others in force', async () => {
    const policies = compile(
      [hotfix({ policies: [{ name: 'z', requirements: ['All'] }] })],
      'Admit',
      undefined,
      [unreadable('a'), unreadable('z')],
    );
    const verdict = await decideOn(pod([byDigest]), { policies });
    expect(verdict.outcome).toBe('denied');
    expect(verdict.images[0]?.checks.map(({ policy, outcome }) => `${policy} ${outcome}`)).toEqual([
      'a failed',
      'z passed',
    ]);
  });

  it('does not make up for an image reference that is none', async () => {
    const policies = snapshotOf(prod(), hotfix({ images: ['docker.io/**'] }));
    expect((await decideOn(pod(['UPPER//case']), { policies })).outcome).toBe('denied');
  });
});
