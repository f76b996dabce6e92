import { describe, expect, it } from 'vitest';
import { webhookConfigurations } from '../../src/admission/webhook-configurations.ts';
import { parseWebhookSettings } from '../../src/admission/webhook-settings.ts';
import { workloadKinds } from '../../src/admission/workload.ts';

const target = { caPem: 'PEM', releaseNamespace: 'refwarden-system', pinning: true };
const configurationsOf = (yaml = '', change: Partial<typeof target> = {}) =>
  webhookConfigurations(parseWebhookSettings(yaml), { ...target, ...change });

describe('webhookConfigurations', () => {
  it('ask about every kind whose images are read, and close when nobody answers', () => {
    const [validating] = configurationsOf();
    expect(validating).toMatchObject({
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'refwarden' },
      webhooks: [
        {
          name: 'validate.refwarden.dev',
          clientConfig: {
            caBundle: 'UEVN',
            service: { namespace: 'refwarden-system', name: 'refwarden', port: 443, path: '/validate' },
          },
          failurePolicy: 'Fail',
          timeoutSeconds: 10,
          sideEffects: 'NoneOnDryRun',
        },
        {
          name: 'resources.refwarden.dev',
          clientConfig: { service: { path: '/validate-resources' } },
          // Policies can be mended whatever happens.
          failurePolicy: 'Ignore',
          namespaceSelector: {},
          rules: [
            { apiGroups: ['refwarden.dev'], operations: ['CREATE', 'UPDATE'], scope: '*' },
            { apiGroups: ['refwarden.dev'], resources: ['trustedissuers'], operations: ['DELETE'] },
          ],
        },
      ],
    });
    const rules = validating?.webhooks[0]?.rules ?? [];
    const asked = rules.flatMap(({ apiGroups: [group], resources }) =>
      resources.map((resource) => `${group}/${resource}`),
    );
    expect(asked.sort()).toEqual(
      [
        '/pods/ephemeralcontainers',
        ...Object.values(workloadKinds).map(({ group, resource }) => `${group}/${resource}`),
      ].sort(),
    );
  });

  it('T02 have Pods pinned, before and after other webhooks, unless that is turned off', () => {
    expect(configurationsOf()[1]).toMatchObject({
      kind: 'MutatingWebhookConfiguration',
      webhooks: [
        {
          name: 'mutate.refwarden.dev',
          clientConfig: { service: { path: '/mutate' } },
          sideEffects: 'None',
          reinvocationPolicy: 'IfNeeded',
          rules: [{ apiGroups: [''], resources: ['pods', 'pods/ephemeralcontainers'] }],
        },
      ],
    });
    expect(configurationsOf('', { pinning: false })).toHaveLength(1);
  });

  it('T33 leave out kube-system and the namespace of the release, whatever is listed', () => {
    for (const { webhooks } of configurationsOf('excludedNamespaces: [monitoring, kube-system]')) {
      expect(webhooks[0]?.namespaceSelector.matchExpressions).toEqual([
        {
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: ['kube-system', 'refwarden-system', 'monitoring'],
        },
      ]);
    }
  });

  it('are named, addressed and limited as settings say', () => {
    const yaml = `name: guard
url: https://10.0.0.1:8443
failurePolicy: Ignore
timeoutSeconds: 5
matchConditions: [{name: no-robots, expression: "request.userInfo.username != 'robot'"}]`;
    for (const { metadata, webhooks } of configurationsOf(yaml)) {
      expect(metadata.name).toBe('guard');
      expect(webhooks[0]).toMatchObject({ failurePolicy: 'Ignore', timeoutSeconds: 5 });
      expect(webhooks[0]?.clientConfig.url).toMatch(/^https:\/\/10\.0\.0\.1:8443\/(validate|mutate)$/);
      expect(webhooks[0]?.clientConfig.service).toBeUndefined();
      expect(webhooks[0]?.matchConditions?.map(({ name }) => name)).toEqual(['spec-changes', 'no-robots']);
    }
  });
});

describe('parseWebhookSettings', () => {
  it.each([
    ['excludedNamespace: [a]', /^Webhook settings: .*excludedNamespace/],
    ['timeoutSeconds: 31', /^Webhook settings: timeoutSeconds: /],
    ['url: http://10.0.0.1', /^Webhook settings: url: must be https:\/\/HOST:PORT\.$/],
    ['url: https://10.0.0.1/validate', /must be https/],
    ['excludedNamespaces: [Prod]', /^Webhook settings: excludedNamespaces\[0\]: /],
    ['[]', /^Webhook settings: /],
    ['a: 1\na: 2', /^The webhook settings are not valid YAML \(line 2\)\.$/],
    ['name: &n refwarden\nservice: {name: *n}', /^The webhook settings use YAML aliases\.$/],
  ])('refuses %j', (yaml, message) => {
    expect(() => parseWebhookSettings(yaml)).toThrow(
      expect.objectContaining({
        code: 'ConfigurationInvalid',
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });
});
