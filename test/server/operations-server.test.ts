import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOperationsServer } from '../../src/server/operations-server.ts';
import type { OperationsServerOptions } from '../../src/server/operations-server.ts';
import { captureLog } from '../support/captured-log.ts';

async function start(options: Partial<OperationsServerOptions> = {}) {
  const { log, lines } = captureLog();
  const server = createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    missing: () => [],
    metrics: () => Promise.resolve('refwarden_up 1\n'),
    log,
    ...options,
  });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  return { server, port, lines, get };
}

describe('createOperationsServer', () => {
  it('is live from the start, and ready when nothing is missing', async () => {
    const { get } = await start();
    expect(await get('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  it('T28 is not ready while something is missing, and says what', async () => {
    const { get } = await start({
      missing: () => ['policies: PolicyNotReady: issuer acme', 'certificate: none'],
    });
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: 'policies: PolicyNotReady: issuer acme\ncertificate: none\n',
    });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('stays ready once it was, until shutdown begins', async () => {
    let missing: string[] = ['policies'];
    const { get, server } = await start({ missing: () => missing });
    expect((await get('/readyz')).status).toBe(503);
    missing = [];
    expect((await get('/readyz')).status).toBe(200);
    missing = ['policies'];
    expect((await get('/readyz')).status).toBe(200);
    server.beginShutdown();
    expect(await get('/readyz')).toMatchObject({ status: 503, text: 'shutting down\n' });
    expect((await get('/livez')).status).toBe(200);
  });

  it('serves the metrics in the text format', async () => {
    const { get } = await start();
    expect(await get('/metrics')).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: 'refwarden_up 1\n',
    });
  });

  it('T31 answers a failure without its cause, which is logged', async () => {
    const { get, lines } = await start({ metrics: () => Promise.reject(new Error('inner')) });
    expect(await get('/metrics')).toMatchObject({ status: 500, text: 'This failed: see the log.\n' });
    expect(lines()).toMatchObject([{ level: 'error', cause: { message: 'inner' } }]);
  });

  it('says what is served to who asks for something else', async () => {
    const { get } = await start();
    const nothing = { status: 404, text: 'Nothing is here: see /livez, /readyz and /metrics.\n' };
    expect(await get('/')).toMatchObject(nothing);
    expect(await get('/readyz', { method: 'DELETE' })).toMatchObject(nothing);
  });

  it('T32 refuses bodies above its small limit', async () => {
    const { get, lines } = await start();
    const headers = { 'content-type': 'application/json' };
    const answer = await get('/livez', { method: 'POST', headers, body: `"${'x'.repeat(2000)}"` });
    expect(answer).toMatchObject({ status: 413, text: 'The request is not acceptable.\n' });
    expect(lines()).toEqual([]);
  });

  it('closes although connections are open', async () => {
    const { server, port } = await start();
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await ended;
    expect(socket.destroyed).toBe(true);
  });

  it('says which address cannot be bound', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: `Cannot listen on 127.0.0.1 port ${port}: it is taken by another process.`,
    });
  });
});
