import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { dockerManifest, ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf, index, manifest } from '../demo/registry/documents.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { accessOf, expectFailure, plainHttp } from './registry-access.ts';
import { app, blobOf, json, setUp, startClient } from './start-client.ts';

describe('resolveTag', () => {
  it('asks by HEAD, once within the life of a tag, and counts what goes over the wire', async () => {
    const { registry, client, clock, paths } = await setUp();
    const tagged = { registry: registry.host, repository: 'shop/app', tag: '1.0' };
    const access = accessOf();
    expect(await client.resolveTag(tagged, access)).toEqual({ digest: app.digest, mediaType: ociManifest });
    expect(await client.resolveTag(tagged, access)).toEqual({ digest: app.digest, mediaType: ociManifest });
    expect(paths()).toEqual(['HEAD /v2/shop/app/manifests/1.0']);
    expect(access.trace.total).toBe(1);

    const next = manifest('next');
    registry.store.putManifest('shop/app', next.bytes, next.mediaType, '1.0');
    clock.advance(1_000);
    expect((await client.resolveTag(tagged, accessOf({ maxListingAgeMs: 500 }))).digest).toBe(next.digest);
    clock.advance(2_000);
    expect((await client.resolveTag(tagged, accessOf())).digest).toBe(next.digest);
    expect(paths()).toHaveLength(3);
  });

  it('T12 computes the digest itself where HEAD is refused or names no digest', async () => {
    for (const headStatus of [405, 404, 200]) {
      const server = await hostileServer((request, response) => {
        response.writeHead(request.method === 'HEAD' ? headStatus : 200, json);
        response.end(app.bytes);
      });
      const client = startClient(plainHttp(server.host));
      const tagged = { registry: server.host, repository: 'a', tag: 'v1' };
      expect(await client.resolveTag(tagged, accessOf())).toEqual({
        digest: app.digest,
        mediaType: ociManifest,
      });
      expect(server.seen.map(({ request }) => request)).toEqual([
        'HEAD /v2/a/manifests/v1',
        'GET /v2/a/manifests/v1',
      ]);
      // The content came along.
      await client.fetchManifest({ ...tagged, digest: app.digest }, accessOf());
      expect(server.seen).toHaveLength(2);
    }
  });

  it('says when there is no such tag', async () => {
    const { registry, client } = await setUp();
    await expectFailure(
      client.resolveTag({ registry: registry.host, repository: 'shop/app', tag: 'none' }, accessOf()),
      'ImageNotFound',
      `${registry.host}/shop/app has no tag "none".`,
    );
  });

  it.each([
    [404, 'text/html', '<html>', 'RegistryProtocolError', /: a web page \(404\)\.$/],
    [200, 'text/html; charset=utf-8', '<html>', 'RegistryProtocolError', /: a web page \(200\)\.$/],
    [200, ociManifest, '{"schemaVersion":2', 'RegistryProtocolError', /: the answer is no manifest\.$/],
    [302, 'text/plain', '', 'RegistryProtocolError', /: redirected to nowhere\.$/],
  ] as const)('T13 takes %i %s %j for no image', async (status, type, body, code, message) => {
    const server = await hostileServer((request, response) => {
      response.writeHead(request.method === 'HEAD' && status === 200 ? 405 : status, {
        'content-type': type,
      });
      response.end(body);
    });
    const tagged = { registry: server.host, repository: 'a', tag: 'v1' };
    await expectFailure(startClient(plainHttp(server.host)).resolveTag(tagged, accessOf()), code, message);
  });
});

describe('fetchManifest', () => {
  it('T12 hashes what it fetches, whatever the header says', async () => {
    const { registry, client, paths } = await setUp();
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    const content = await client.fetchManifest(subject, accessOf());
    expect(content.document()).toMatchObject({ kind: 'manifest', mediaType: ociManifest });
    expect(await client.fetchManifest(subject, accessOf())).toBe(content);
    expect(paths()).toHaveLength(1);

    const wrong = manifest('wrong').digest;
    registry.intercept((_, response) => {
      response.writeHead(200, { ...json, 'docker-content-digest': wrong });
      response.end(app.bytes);
      return true;
    });
    const name = `${registry.host}/shop/app: manifest ${wrong.slice(0, 15)}`;
    await expectFailure(
      client.fetchManifest({ ...subject, digest: wrong }, accessOf()),
      'DigestMismatch',
      `${name} does not hash to its digest.`,
    );
    await expectFailure(
      client.fetchTagged({ ...subject, tag: 'x' }, accessOf()),
      'DigestMismatch',
      `${registry.host}/shop/app: tag x does not hash to the digest that the registry states.`,
    );
  });

  it('T14 fetches by sha512 as well', async () => {
    const { registry, client } = await setUp();
    const digest = registry.store.putManifest('shop/app', app.bytes, app.mediaType, undefined, 'sha512');
    const subject = { registry: registry.host, repository: 'shop/app', digest };
    expect((await client.fetchManifest(subject, accessOf())).digest).toBe(digest);
  });

  it('T13 takes nothing that can be read as manifest and as index', async () => {
    const child = app.descriptor;
    const both = documentOf(ociIndex, {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [child],
      layers: [],
      config: child,
    });
    const list = index([app]);
    const server = await hostileServer((request, response) => {
      const isList = request.url?.endsWith(list.digest) === true;
      response.writeHead(200, { 'content-type': isList ? dockerManifest : ociIndex });
      response.end(isList ? list.bytes : both.bytes);
    });
    const client = startClient(plainHttp(server.host));
    const subject = { registry: server.host, repository: 'a', digest: both.digest };
    const ambiguous = await client.fetchManifest(subject, accessOf());
    const read = Promise.resolve().then(() => ambiguous.document());
    await expectFailure(read, 'ManifestAmbiguous', /has both manifests and layers or config\.$/);
    const confused = await client.fetchManifest({ ...subject, digest: list.digest }, accessOf());
    const confusion = Promise.resolve().then(() => confused.document());
    await expectFailure(confusion, 'ManifestAmbiguous', /is served as .*docker.* but says .*index/);
  });

  it('T11 reads no further than the limit, whether or not the length is stated', async () => {
    let sent = 0;
    const server = await hostileServer((request, response) => {
      if (request.url?.includes('stated') === true) {
        response.writeHead(200, { ...json, 'content-length': '5000000' });
        response.write('{');
        return;
      }
      const pour = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536))) sent += 65_536;
      };
      response.writeHead(200, json);
      response.on('drain', pour);
      pour();
    });
    const client = startClient(plainHttp(server.host));
    for (const repository of ['stated', 'endless']) {
      await expectFailure(
        client.fetchManifest({ registry: server.host, repository, digest: app.digest }, accessOf()),
        'ArtifactTooLarge',
        `${server.host}/${repository}: manifest ${app.digest}: the answer is larger than 4194304 bytes.`,
      );
    }
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('T11 unpacks nothing', async () => {
    const server = await hostileServer((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
      response.end(app.bytes);
    });
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    await expectFailure(
      startClient(plainHttp(server.host)).fetchManifest(subject, accessOf()),
      'RegistryProtocolError',
      /: the answer is compressed although that was not asked for\.$/,
    );
  });

  it('T08 asks no host that a URL parser reads otherwise', async () => {
    const client = startClient({});
    for (const registry of ['0x7f.1', '127.1', 'a%2eexample', 'user@evil.example', 'evil.example/v2#']) {
      await expectFailure(
        client.fetchManifest({ registry, repository: 'a', digest: app.digest }, accessOf()),
        'RegistryRefused',
        `Registry ${JSON.stringify(registry)} is not asked: a URL would read its name or path otherwise than written.`,
      );
    }
  });

  it('T10 does not connect to this machine for a registry that nobody allowed by name', async () => {
    const server = await hostileServer((_, response) => response.end());
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    const access = accessOf();
    await expectFailure(
      startClient({}).fetchManifest(subject, access),
      'RegistryRefused',
      '127.0.0.1 is not asked: its address is local to the cluster or the machine, and it is not allowed by name.',
    );
    expect(server.seen).toEqual([]);
  });
});

describe('fetchBlob', () => {
  const bytes = Buffer.from('payload');

  it('checks size and digest, and fetches a blob once', async () => {
    const { registry, client, paths } = await setUp();
    registry.store.putBlob('shop/app', bytes);
    const target = { registry: registry.host, repository: 'shop/app' };
    expect(Buffer.from(await client.fetchBlob(target, blobOf(bytes), accessOf()))).toEqual(bytes);
    await client.fetchBlob(target, blobOf(bytes), accessOf());
    expect(paths()).toEqual([`GET /v2/shop/app/blobs/${computeDigest(bytes)}`]);
    const name = `${registry.host}/shop/app: blob ${computeDigest(bytes).slice(0, 15)}`;
    await expectFailure(
      client.fetchBlob(target, blobOf(bytes, { size: 8 }), accessOf()),
      'SizeMismatch',
      `${name} has not the 8 bytes that its descriptor states.`,
    );
  });

  it('T12 refuses what is longer, shorter or other than its descriptor', async () => {
    const { registry, client } = await setUp();
    registry.store.putBlob('shop/app', bytes);
    const target = { registry: registry.host, repository: 'shop/app' };
    for (const size of [6, 8]) {
      const blob = client.fetchBlob(target, blobOf(bytes, { size }), accessOf());
      await expectFailure(blob, 'SizeMismatch', new RegExp(`has not the ${size} bytes`));
    }
    registry.intercept((_, response) => {
      response.end('Payload');
      return true;
    });
    const altered = client.fetchBlob(target, blobOf(bytes), accessOf());
    await expectFailure(altered, 'DigestMismatch', /does not hash to its digest\.$/);
  });

  it('T11 does not even ask for what claims to be too large', async () => {
    const { registry, client, paths } = await setUp({ limits: { maxLayerBytes: 100 } });
    const target = { registry: registry.host, repository: 'shop/app' };
    const blob = client.fetchBlob(target, blobOf(bytes, { size: 101 }), accessOf());
    await expectFailure(blob, 'ArtifactTooLarge', /has 101 bytes; the limit is 100\.$/);
    expect(paths()).toEqual([]);
  });

  it('says when a blob is gone', async () => {
    const { registry, client } = await setUp();
    const target = { registry: registry.host, repository: 'shop/app' };
    await expectFailure(
      client.fetchBlob(target, blobOf(bytes), accessOf()),
      'ArtifactMissing',
      /is not there\.$/,
    );
  });
});
