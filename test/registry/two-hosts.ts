import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ContentStore } from '../../src/admission/content-store.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { accessOf, account } from './registry-access.ts';
import { app, blobOf } from './start-client.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const layer = Buffer.from('layer');
export const serveLayer: Answer = (_, response) => response.end(layer);

/** Another host than that of the registries of these tests, which are at 127.0.0.1. */
export const elsewhere = (answer: Answer): Promise<HostileServer> =>
  hostileServer(answer, { host: '127.0.0.2' });

export function challenge(response: ServerResponse, header: string): void {
  response.writeHead(401, { 'www-authenticate': header }).end();
}

/** What {@link fetchLayer} and {@link fetchApp} bring along. */
export const access = accessOf({ credentials: account('reader', 'reader', 'sesame') });
export const basic = `Basic ${Buffer.from('reader:sesame').toString('base64')}`;

export const fetchLayer = (
  client: ContentStore,
  registry: string,
  repository = 'shop/app',
): Promise<unknown> => client.fetchBlob({ registry, repository }, blobOf(layer), access);

export const fetchApp = (client: ContentStore, registry: string, repository = 'shop/app'): Promise<unknown> =>
  client.fetchManifest({ registry, repository, digest: app.digest }, access);
