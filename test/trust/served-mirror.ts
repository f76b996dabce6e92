import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Failure } from '../../src/failures/failure.ts';
import { direct } from '../../src/network/connection.ts';
import type { TufReference } from '../../src/policy/resolved-issuer.ts';
import type { TufTiming } from '../../src/trust/tuf-mirror.ts';
import { TufMirrors } from '../../src/trust/tuf-mirrors.ts';
import type { TufRepository } from '../support/tuf-repository.ts';

export interface ServedMirror {
  readonly host: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Answers instead of the repository, where it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
  /** Again at the same port. */
  listen(): Promise<void>;
}

/** A repository over HTTP on a loopback port, for one test. */
export async function serveMirror(repository: TufRepository): Promise<ServedMirror> {
  const asked: string[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const path = new URL(request.url ?? '', 'http://mirror').pathname.slice(1);
    asked.push(path);
    if (mirror.intercept(request, response)) return;
    const file = repository.files.get(path);
    if (file === undefined) response.writeHead(404).end('no such file');
    else response.end(file);
  };
  let server: Server = createServer(handle);
  const listen = async (port: number): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await ended;
  };
  const port = await listen(0);
  const mirror: ServedMirror = {
    host: `127.0.0.1:${port}`,
    asked,
    intercept: () => false,
    close,
    listen: async () => {
      server = createServer(handle);
      await listen(port);
    },
  };
  onTestFinished(close);
  return mirror;
}

export interface OpenMirrors {
  readonly mirrors: TufMirrors;
  /** How often material changed. */
  readonly changes: () => number;
  readonly replaced: string[];
  readonly failed: { readonly failure: Failure; readonly keeps: boolean }[];
  readonly diskFailed: unknown[];
  readonly close: () => Promise<void>;
}

/** A mirror is read again and again; without it, once. */
export const again = { refreshMs: 20, retryMs: 20, maxRetryMs: 20 } satisfies Partial<TufTiming>;

/** @param allowed hosts that are allowed by name: loopback is refused otherwise. */
export function openMirrors(
  allowed: readonly string[],
  options: { directory?: string; timing?: Partial<TufTiming> } = {},
): OpenMirrors {
  const replaced: string[] = [];
  const failed: { failure: Failure; keeps: boolean }[] = [];
  const diskFailed: unknown[] = [];
  const mirrors = new TufMirrors({
    hosts: { isNamed: (host) => allowed.includes(host), connection: () => direct },
    events: {
      replaced: (host) => replaced.push(host),
      failed: (_, failure, keeps) => failed.push({ failure, keeps }),
      diskFailed: (_, cause) => diskFailed.push(cause),
    },
    ...options,
  });
  let changes = 0;
  mirrors.subscribe(() => {
    changes++;
  });
  const close = (): Promise<void> => mirrors.close();
  onTestFinished(close);
  return { mirrors, changes: () => changes, replaced, failed, diskFailed, close };
}

export const referenceTo = ({ host }: ServedMirror, { root }: TufRepository): TufReference => ({
  kind: 'tuf',
  mirror: `http://${host}`,
  root,
  target: 'trusted_root.json',
});

/** A Sigstore trusted root without any authority, one for each name. */
export const rootNamed = (name: string): string =>
  JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
    signingConfig: name,
  });
