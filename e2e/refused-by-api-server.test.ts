import { beforeAll, describe, expect, inject, it } from 'vitest';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { create } from './objects/kubectl-objects.ts';
import { apiVersion, clusterPolicy } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { webhookManifestPath } from './webhook/webhook-configuration.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const stack = suiteStack();
let kubectl: Kubectl;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('refused');
  stack.defer(() => directory.remove());
  kubectl = await makeKubectl(inject('world').kubeconfigPath, directory.path);
});

describe('what is not built', () => {
  const withAssert = {
    formats: ['SPDX'],
    issuers: [releaseKey],
    assert: [{ expression: 'true', message: 'no' }],
  };
  it.each([
    {
      what: 'anyOf',
      object: clusterPolicy('unbuilt', {
        require: [{ name: 'either', anyOf: [{ pinned: true }, { signature: { issuers: [releaseKey] } }] }],
      }),
    },
    { what: 'assert', object: clusterPolicy('unbuilt', { require: [{ name: 'sbom', sbom: withAssert }] }) },
    {
      what: 'notation',
      object: {
        apiVersion,
        kind: 'TrustedIssuer',
        metadata: { name: 'unbuilt' },
        spec: {
          notation: {
            trustStores: [{ type: 'ca', configMap: 'vendor-ca' }],
            trustedIdentities: ['x509.subject: C=US, ST=WA, O=Vendor'],
          },
        },
      },
    },
    {
      what: 'ArtifactPolicyException',
      object: {
        apiVersion,
        kind: 'ArtifactPolicyException',
        metadata: { name: 'unbuilt' },
        spec: {
          images: ['registry.example/**'],
          namespaces: ['default'],
          policies: [{ name: 'tightened' }],
          reason: 'INC-4711',
          expiresAt: '2036-12-01T00:00:00Z',
        },
      },
    },
  ])('$what is refused by the API server by name', async ({ what, object }) => {
    const result = await create(kubectl, object);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${what} is not built in this version of Refwarden`);
  });
});

describe('manifests/webhook.yaml', () => {
  it('is refused until it is filled in', async () => {
    const result = await kubectl(['apply', '--dry-run=server', '-f', webhookManifestPath]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('illegal base64 data');
  });
});
