import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDigest } from '../../src/image/digest.ts';

/** Marks a request of the tests' own, which is answered as it should be. */
const honestHeader = 'x-honest';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the registry would answer. */
  readonly honest: () => Promise<HonestAnswer>;
}

interface HonestAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Fault = (exchange: Exchange) => void | Promise<void>;

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Fault =>
  ({ response }) => {
    response.writeHead(code, headers).end(body);
  };

/** Of nothing that is stored anywhere. */
const strayDigest: Digest = parseDigest(`sha256:${'5'.repeat(64)}`);

/** What goes wrong between a registry and its clients. */
export const exchangeFaults = {
  '401': status(401),
  '403': status(403),
  '404 with HTML': status(404, { 'content-type': 'text/html' }, '<html><body>Not Found</body></html>'),
  '405': status(405),
  '429': status(429, { 'retry-after': '99' }),
  '500': status(500),
  '503': status(503),
  'no answer': () => undefined,
  'a reset in the middle': async ({ request, response, honest }) => {
    const { headers, body } = await honest();
    if (request.method === 'HEAD') {
      response.destroy();
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': String(body.byteLength) });
    response.write(body.subarray(0, body.byteLength / 2), () => response.destroy());
  },
  'truncated JSON': async ({ response, honest }) => {
    const { headers, body } = await honest();
    const half = body.subarray(0, body.byteLength / 2);
    response.writeHead(200, { ...headers, 'content-length': String(half.byteLength) }).end(half);
  },
  'a wrong digest': async ({ request, response, honest }) => {
    const { headers, body } = await honest();
    const stated = headers['docker-content-digest'];
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...headers, 'docker-content-digest': strayDigest }).end();
      return;
    }
    // A list without a digest names something else; other content is altered under the digest that it had.
    const isList = stated === undefined && /"(?:manifests|referrers|references|tags)":/.test(body.toString());
    const altered = isList
      ? body.toString().replace(/sha256:[0-9a-f]{64}|"1\.4\.0"/g, replaceName)
      : flipLastBit(body);
    response.writeHead(200, headers).end(altered);
  },
  'a wrong length': async ({ response, honest }) => {
    const { headers, body } = await honest();
    response.writeHead(200, { ...headers, 'content-length': String(body.byteLength >> 1) }).end(body);
  },
  'a redirect loop': ({ request, response }) => {
    response.writeHead(307, { location: request.url ?? '' }).end();
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof exchangeFaults;

const replaceName = (name: string): string => (name.startsWith('sha256:') ? strayDigest : '"stray"');

function flipLastBit(body: Buffer): Buffer {
  const altered = Buffer.from(body);
  const last = altered.byteLength - 1;
  altered.writeUInt8(altered.readUInt8(last) ^ 1, last);
  return altered;
}

/** Has every request at a place go wrong, whatever its method. @param isThere by method and path. */
export function breakAt(
  registry: EmbeddedRegistry,
  isThere: (method: string, path: string) => boolean,
  fault: Fault,
): void {
  registry.intercept(async (request, response) => {
    const { method = 'GET', url = '' } = request;
    if (request.headers[honestHeader] !== undefined || !isThere(method, url)) return false;
    const honest = async (): Promise<HonestAnswer> => {
      const { accept = '*/*' } = request.headers;
      const answer = await fetch(`${registry.url}${url}`, {
        method,
        headers: { accept, [honestHeader]: '1' },
      });
      if (answer.status !== 200) throw new Error(`nothing is broken at ${url}: it answers ${answer.status}`);
      return {
        headers: Object.fromEntries(
          [...answer.headers].filter(([name]) => /^(?:content-type|docker-content-digest)$/.test(name)),
        ),
        body: Buffer.from(await answer.arrayBuffer()),
      };
    };
    await fault({ request, response, honest });
    return true;
  });
}
