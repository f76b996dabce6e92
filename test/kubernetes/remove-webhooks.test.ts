import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseWebhookSettings } from '../../src/admission/webhook-settings.ts';
import { removeWebhooks } from '../../src/kubernetes/remove-webhooks.ts';
import type { Removal } from '../../src/kubernetes/remove-webhooks.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';

const name = 'refwarden';
const namespace = 'refwarden-system';
const kinds = [paths.validating, paths.mutating];

let cluster: ClusterUnderTest;
let kubeconfig: string;

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  kubeconfig = await cluster.kubeconfig();
  cluster.api.put(paths.services, { metadata: { name, namespace, annotations: { other: 'kept' } } });
  for (const kind of kinds) cluster.api.put(kind, { metadata: { name }, webhooks: [] });
});
afterEach(() => cluster.stop());

const remove = (signal = new AbortController().signal): Promise<Removal> =>
  removeWebhooks(parseWebhookSettings(''), kubeconfig, signal);

describe('removeWebhooks', () => {
  it('marks the Service first, then deletes both configurations', async () => {
    expect(await remove()).toEqual({
      removed: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
      isMarked: true,
    });
    expect(cluster.api.writes.slice(0, 3)).toEqual([
      `PATCH ${paths.services}/${name}`,
      `DELETE ${paths.validating}/${name}`,
      `DELETE ${paths.mutating}/${name}`,
    ]);
    expect(cluster.api.get(paths.services, name, namespace)?.metadata.annotations).toEqual({
      other: 'kept',
      'refwarden.dev/webhooks': 'Removed',
    });
  });

  it('deletes what a replica put back that had not seen the mark', async () => {
    let isBack = false;
    cluster.api.fault = ({ method, path }) => {
      const [kind = ''] = kinds;
      if (
        method === 'DELETE' &&
        path.startsWith(kind) &&
        !isBack &&
        cluster.api.get(kind, name) === undefined
      ) {
        isBack = true;
        cluster.api.put(kind, { metadata: { name } });
      }
      return false;
    };
    await remove();
    expect([isBack, ...kinds.map((kind) => cluster.api.get(kind, name))]).toEqual([
      true,
      undefined,
      undefined,
    ]);
  });

  it('says that there was no Service to mark', async () => {
    cluster.api.delete(paths.services, name, namespace);
    expect(await remove()).toMatchObject({ isMarked: false });
  });

  it('gives up where somebody puts them back again and again', async () => {
    cluster.api.fault = ({ method, path }) => {
      if (method === 'DELETE') {
        const kind = kinds.find((one) => path.startsWith(one)) ?? '';
        cluster.api.put(kind, { metadata: { name } });
      }
      return false;
    };
    await expect(remove()).rejects.toThrow(
      'Somebody puts the webhook configurations refwarden back: scale the Deployment of Refwarden to 0, then run this again.',
    );
  });

  it('names the right that lacks', async () => {
    cluster.api.fault = ({ method }, response) => {
      if (method !== 'DELETE') return false;
      answerJson(response, 403, {});
      return true;
    };
    await expect(remove()).rejects.toThrow(
      'The API server answered 403 to deleting refwarden of validatingwebhookconfigurations.',
    );
  });
});
