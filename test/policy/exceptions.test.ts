import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/reference.ts';
import { compileException, exceptPolicy } from '../../src/policy/exceptions.ts';
import type { ArtifactPolicyException } from '../../src/policy/model/artifact-policy-exception.ts';
import { readinessOf } from '../../src/policy/readiness.ts';
import {
  clusterPolicy,
  compile,
  exception,
  keyIssuer,
  namespacedPolicy,
  parse,
  signedBy,
} from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

const day = 86_400_000;
const madeAt = '2026-11-01T00:00:00Z';
const digest = `sha256:${'a'.repeat(64)}`;
const hotfix = (spec: Fields = {}): ArtifactPolicyException =>
  parse(
    exception('hotfix', { images: ['ghcr.io/acme/app'], ...spec }, { creationTimestamp: madeAt }),
  ) as ArtifactPolicyException;
const resources = [
  keyIssuer('acme'),
  clusterPolicy('prod', { require: [signedBy('acme')] }),
  namespacedPolicy('shop', 'prod', { require: [signedBy('later')] }),
];

describe('T23 an exception', () => {
  it('ends when the installation says, after it was made, or before that when it says so itself', () => {
    expect(compileException(hotfix(), 2 * day).endsAtMs).toBe(Date.parse(madeAt) + 2 * day);
    const soon = hotfix({ expiresAt: '2026-11-02T00:00:00Z' });
    expect(compileException(soon, 2 * day).endsAtMs).toBe(Date.parse(madeAt) + day);
  });

  it('names the digest if any pattern of it that fits does', () => {
    const both = compileException(hotfix({ images: [`ghcr.io/acme/app@${digest}`, 'ghcr.io/acme/*'] }), day);
    const [policy] = compile(resources).policies;
    if (policy === undefined) throw new Error('no policy was compiled');
    const image = parseImageReference(`ghcr.io/acme/app@${digest}`);
    expect(exceptPolicy(policy, [both], image, 'claimed').exemptions).toMatchObject([{ byDigest: true }]);
  });

  it.each<[string, ArtifactPolicyException, number, object]>([
    ['counts until its end', hotfix(), Date.parse(madeAt), { isReady: true, reason: 'Ready' }],
    ['has ended', hotfix(), Date.parse(madeAt) + 91 * day, { isReady: false, reason: 'Expired' }],
    [
      'excepts from a policy that there is not',
      hotfix({ policies: [{ name: 'staging', requirements: ['All'] }] }),
      Date.parse(madeAt),
      { isReady: false, reason: 'NothingExcepted', message: 'There is no ClusterArtifactPolicy staging.' },
    ],
    [
      'excepts from a requirement that there is not',
      hotfix({ policies: [{ name: 'prod', requirements: ['sbom'] }] }),
      Date.parse(madeAt),
      {
        isReady: false,
        reason: 'NothingExcepted',
        message: 'ClusterArtifactPolicy prod has no requirement sbom.',
      },
    ],
    [
      'excepts from a part of what it names',
      hotfix({
        policies: [
          { name: 'prod', requirements: ['All'] },
          { name: 'staging', requirements: ['All'] },
        ],
      }),
      Date.parse(madeAt),
      {
        isReady: false,
        reason: 'PartlyUnknown',
        message: expect.stringMatching(
          /^There is no ClusterArtifactPolicy staging\. The rest counts until \S+\.$/,
        ) as string,
      },
    ],
  ])('says in its status that it %s', (_what, resource, nowMs, readiness) => {
    const snapshot = compile([...resources, resource]);
    expect(readinessOf(resource, snapshot, nowMs)).toMatchObject(readiness);
  });

  it('and policies of the same name are told apart by namespace', () => {
    const snapshot = compile(resources);
    const [, cluster, own] = resources.map((resource) => readinessOf(parse(resource), snapshot, 0));
    expect([cluster?.isReady, own?.isReady]).toEqual([true, false]);
  });
});
