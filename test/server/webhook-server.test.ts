import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../../src/admission/admission-review.ts';
import { webhookLimits } from '../../src/server/webhook-server.ts';
import { statusBody } from '../../src/server/status-body.ts';
import { admitted, startWebhook } from '../support/running-webhook.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { answerOf, keptConnection, openConnection, podReview, readToEnd } from '../support/webhook-call.ts';

const body = JSON.stringify(podReview());
const hint =
  'Send an AdmissionReview as application/json by POST to /validate or /mutate or /validate-resources.';

describe('createWebhookServer', () => {
  it('hands the parsed review on and answers what comes back, with the uid of the request', async () => {
    const seen: AdmissionRequest[] = [];
    const webhook = await startWebhook({
      review: (request) => {
        seen.push(request);
        return Promise.resolve({
          allowed: false,
          message: '1 image, 1 not admitted',
          warnings: ['look'],
          auditAnnotations: { images: '[]' },
        });
      },
    });
    const response = await webhook.call({ body });
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(response.json).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
        allowed: false,
        status: { code: 403, reason: 'Forbidden', message: '1 image, 1 not admitted' },
        warnings: ['look'],
        auditAnnotations: { images: '[]' },
      },
    });
    expect(seen).toMatchObject([
      { operation: 'CREATE', namespace: 'shop', kind: { kind: 'Pod' }, username: 'alice' },
    ]);
    expect(webhook.refused).toEqual([]);
  });

  it('takes a content type with parameters, and several reviews on one connection', async () => {
    const webhook = await startWebhook();
    const agent = keptConnection();
    for (let i = 0; i < 3; i++) {
      const response = await webhook.call({
        body,
        agent,
        headers: { 'content-type': 'application/json; charset=utf-8' },
      });
      expect(answerOf(response).allowed).toBe(true);
      expect(response.headers.connection).toBe('keep-alive');
    }
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    agent.destroy();
  });

  it('ends a connection after a large answer, on which a busy process would fail the next request', async () => {
    const patch = [{ op: 'replace' as const, path: '/spec/containers/0/image', value: 'x'.repeat(50_000) }];
    const webhook = await startWebhook({
      review: ({ name }) => Promise.resolve(name === 'large' ? { ...admitted, patch } : admitted),
    });
    const connectionOf = async (name: string): Promise<string | undefined> => {
      const agent = keptConnection();
      const { headers } = await webhook.call({ body: JSON.stringify(podReview({ name })), agent });
      agent.destroy();
      return headers.connection;
    };
    expect(await connectionOf('small')).toBe('keep-alive');
    expect(await connectionOf('large')).toBe('close');
  });

  it('keeps idle connections longer than the 90 s of the API server', () => {
    expect(webhookLimits.keepAliveTimeoutMs).toBeGreaterThan(90_000);
  });

  it('T32 does not serve a client without TLS', async () => {
    const webhook = await startWebhook();
    const socket = createConnection({ host: '127.0.0.1', port: webhook.port });
    socket.write('GET /validate HTTP/1.1\r\nhost: localhost\r\n\r\n');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(received).not.toContain('HTTP');
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
  });

  it('T32 ends a connection whose headers drip in, while others are served', async () => {
    const webhook = await startWebhook({
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200, connectionsCheckMs: 20 },
    });
    const slow = await openConnection(webhook.port, webhook.tls);
    slow.write('POST /validate HTTP/1.1\r\nhost: localhost\r\nx-drip: ');
    const drip = setInterval(() => slow.writable && slow.write('a'), 20);
    const ended = readToEnd(slow);
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
    const received = await ended;
    clearInterval(drip);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toContain('"ReviewInvalid: The request did not arrive in time."');
  });

  it('T32 ends a connection whose body drips in', async () => {
    const webhook = await startWebhook({
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200, connectionsCheckMs: 20 },
    });
    const slow = await openConnection(webhook.port, webhook.tls);
    slow.write(
      'POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    );
    const drip = setInterval(() => slow.writable && slow.write(' '), 20);
    await readToEnd(slow);
    clearInterval(drip);
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
  });

  it('T32 ends a connection that does not finish its TLS handshake', async () => {
    const webhook = await startWebhook({ limits: { handshakeTimeoutMs: 50 } });
    const socket = createConnection({ host: '127.0.0.1', port: webhook.port });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
  });

  it('keeps a connection that was opened ahead of need, as the API server does', async () => {
    const webhook = await startWebhook({
      limits: { headersTimeoutMs: 40, requestTimeoutMs: 80, connectionsCheckMs: 10 },
    });
    const early = await openConnection(webhook.port, webhook.tls);
    // Ended for its slowness, so the silent one before it has outlived the same limit.
    const slow = await openConnection(webhook.port, webhook.tls);
    slow.write('P');
    await readToEnd(slow);
    const answer = readToEnd(early);
    const headers = `host: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    early.write(`POST /validate HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
    expect(await answer).toContain('"allowed":true');
  });

  it('T32 ends a silent connection after the idle time', async () => {
    const webhook = await startWebhook({
      limits: { headersTimeoutMs: 20, requestTimeoutMs: 40, connectionsCheckMs: 10, keepAliveTimeoutMs: 50 },
    });
    const silent = await openConnection(webhook.port, webhook.tls);
    expect(await readToEnd(silent)).toBe('');
  });

  it('T32 drops connections above the limit', async () => {
    const webhook = await startWebhook({ limits: { maxConnections: 1 } });
    const first = await openConnection(webhook.port, webhook.tls);
    await expect(webhook.call({ body })).rejects.toThrow();
    first.destroy();
    await expect
      .poll(() => webhook.call({ body }).then(answerOf, () => undefined))
      .toMatchObject({ allowed: true });
  });

  it('T32 drops connections of an address that would leave too little to others', async () => {
    const webhook = await startWebhook({ limits: { maxConnections: 8 } });
    const flood = [];
    for (let i = 0; i < 4; i++) flood.push(await openConnection(webhook.port, webhook.tls, '127.0.0.2'));
    await expect(openConnection(webhook.port, webhook.tls, '127.0.0.2')).rejects.toThrow();
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
    for (const socket of flood) socket.destroy();
    await expect
      .poll(() => webhook.call({ body, address: '127.0.0.2' }).then(answerOf, () => undefined))
      .toMatchObject({ allowed: true });
  });

  it('T32 a review is judged while another address has sent half of many large ones', async () => {
    const webhook = await startWebhook({ limits: { maxHeldBytes: 2_000_000 } });
    const half = Buffer.alloc(400_000, 0x20);
    const flood = [];
    for (let i = 0; i < 8; i++) {
      const socket = await openConnection(webhook.port, webhook.tls, '127.0.0.2');
      flood.push(readToEnd(socket));
      socket.write(
        `POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${half.length * 2}\r\n\r\n`,
      );
      socket.write(half);
    }
    await expect.poll(async () => (await webhook.call({ body: body.padEnd(900_000) })).status).toBe(503);
    expect(answerOf(await webhook.call({ body: body.padEnd(450_000) })).allowed).toBe(true);
    expect(answerOf(await webhook.call({ body, address: '127.0.0.2' })).allowed).toBe(true);
  });

  it.each([
    ['of 10 MB', { 'content-type': 'application/json' }, 10_000_000],
    [
      'of 10 MB with its length told',
      { 'content-type': 'application/json', 'content-length': 10_000_000 },
      10_000_000,
    ],
    ['one byte above the limit', { 'content-type': 'application/json' }, webhookLimits.maxBodyBytes + 1],
  ])('T32 refuses a review %s with 413 and goes on serving', async (_title, headers, size) => {
    const webhook = await startWebhook();
    const response = await webhook.call({ body: Buffer.alloc(size, 0x20), headers });
    expect(response.status).toBe(413);
    expect(response.json).toEqual(
      statusBody(413, 'ReviewTooLarge', 'The body is larger than 8388608 bytes.'),
    );
    expect(webhook.refused).toEqual(['ReviewTooLarge']);
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
  });

  it('T32 does not read an endless body to its end', async () => {
    const webhook = await startWebhook({ limits: { maxBodyBytes: 1000, requestTimeoutMs: 60_000 } });
    const endless = await openConnection(webhook.port, webhook.tls);
    endless.write(
      'POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const ended = readToEnd(endless);
    const feed = setInterval(() => endless.writable && endless.write(`1f4\r\n${' '.repeat(500)}\r\n`), 1);
    expect(await ended).toMatch(/^HTTP\/1\.1 413 /);
    clearInterval(feed);
  });

  it.each([
    ['text/plain'],
    ['application/json-patch+json'],
    ['application/x-www-form-urlencoded'],
    [undefined],
  ])('T32 refuses content type %s with 415', async (type) => {
    const webhook = await startWebhook();
    const response = await webhook.call({
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    });
    expect(response.status).toBe(415);
    expect(response.json).toEqual({
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Failure',
      reason: 'ReviewInvalid',
      message: `ReviewInvalid: The content type is not application/json. ${hint}`,
      code: 415,
    });
  });

  it.each([
    ['T32 malformed JSON', '{"apiVersion": ', 'The AdmissionReview is not valid JSON.'],
    ['T32 an empty body', '', 'The AdmissionReview is not valid JSON.'],
    [
      'T32 bytes that are no UTF-8',
      Buffer.from([0x7b, 0xff, 0x7d]),
      'The AdmissionReview is not valid UTF-8.',
    ],
    [
      'T32 an unknown version',
      JSON.stringify({ ...podReview(), apiVersion: 'admission.k8s.io/v1beta1' }),
      'apiVersion is "admission.k8s.io/v1beta1", not "admission.k8s.io/v1".',
    ],
    [
      'T26 a duplicate key',
      body.replace('"operation":', '"operation":"DELETE","operation":'),
      'The AdmissionReview has the key "operation" twice in one object.',
    ],
    [
      'T26 a duplicate key that is spelled with an escape',
      body.replace('"operation":', '"\\u006fperation":"DELETE","operation":'),
      'The AdmissionReview has the key "operation" twice in one object.',
    ],
    [
      'T26 a __proto__ key',
      body.replace('"spec":', '"__proto__":{"allowed":true},"spec":'),
      'The AdmissionReview has a key "__proto__".',
    ],
    ['T26 deep nesting', '['.repeat(200) + ']'.repeat(200), 'The AdmissionReview is nested deeper than 128.'],
  ])('%s is refused with 400', async (_title, sent, message) => {
    const webhook = await startWebhook({ review: () => Promise.reject(new Error('must not be reached')) });
    const response = await webhook.call({ body: sent });
    expect(response.status).toBe(400);
    expect(response.json).toEqual(statusBody(400, 'ReviewInvalid', message));
    expect(webhook.refused).toEqual(['ReviewInvalid']);
    await webhook.call({ body: sent });
    // Told once: whoever floods fills no log.
    expect(webhook.lines().filter(({ level }) => level === 'warn')).toMatchObject([
      { code: 'ReviewInvalid', status: 400, msg: `A request was refused without a verdict: ${message}` },
    ]);
  });

  it('takes a review with as many fields of managers as the API server writes', async () => {
    const webhook = await startWebhook({ review: () => Promise.resolve(admitted) });
    const entries = Array.from({ length: 60_000 }, (_, i) => [`k:{"name":"E${i}"}`, { '.': {} }]);
    const managedFields = [{ manager: 'gitops', fieldsV1: Object.fromEntries(entries) as object }];
    const large = JSON.stringify(podReview({ object: { metadata: { managedFields } } }));
    expect(answerOf(await webhook.call({ body: large })).allowed).toBe(true);
  });

  it('T32 says where reviews are sent to who calls another path or by another method', async () => {
    const webhook = await startWebhook();
    const elsewhere = await webhook.call({ path: '/elsewhere', body });
    expect([elsewhere.status, elsewhere.json]).toEqual([
      404,
      statusBody(404, 'ReviewInvalid', `Nothing is here. ${hint}`),
    ]);
    const otherwise = await webhook.call({ method: 'GET', headers: {} });
    expect([otherwise.status, otherwise.json]).toEqual([
      405,
      statusBody(405, 'ReviewInvalid', `This method is not taken. ${hint}`),
    ]);
    expect(otherwise.headers.allow).toBe('POST');
  });

  it('T32 serves only holders of a certificate of the client authority when one is configured', async () => {
    const clients = await createTestAuthority('API server client CA');
    const strangers = await createTestAuthority('Another CA');
    const webhook = await startWebhook({ clientCa: clients.ca, review: () => Promise.resolve(admitted) });
    const own = await clients.client();
    expect(answerOf(await webhook.call({ body, tls: { ...webhook.tls, ...own } })).allowed).toBe(true);
    await expect(webhook.call({ body })).rejects.toThrow(/certificate required|ECONNRESET|socket hang up/);
    const stranger = await strangers.client();
    await expect(webhook.call({ body, tls: { ...webhook.tls, ...stranger } })).rejects.toThrow();
    expect(webhook.lines().some(({ msg }) => msg === 'A TLS handshake failed')).toBe(true);
  });

  it('shows a new certificate to new connections, and refuses a pair that cannot be used', async () => {
    const webhook = await startWebhook();
    const successor = await createTestAuthority('Successor CA');
    const other = await successor.serving();
    const open = keptConnection();
    await webhook.call({ body, agent: open });
    webhook.server.setTls(other);
    await expect(webhook.call({ body })).rejects.toThrow(/certificate|signature/);
    expect(answerOf(await webhook.call({ body, tls: { ca: successor.ca } })).allowed).toBe(true);
    expect(answerOf(await webhook.call({ body, agent: open })).allowed).toBe(true);
    open.destroy();
    expect(() => {
      webhook.server.setTls({ cert: other.cert, key: 'no key' });
    }).toThrow(
      expect.objectContaining({
        code: 'ConfigurationInvalid',
        message: 'The serving certificate and key cannot be used for TLS.',
      }),
    );
    expect(answerOf(await webhook.call({ body, tls: { ca: successor.ca } })).allowed).toBe(true);
  });

  it('says which address cannot be bound', async () => {
    const { port } = await startWebhook();
    // It has nothing to linger for: its close, at the end of this test, is immediate.
    await expect(startWebhook({ port, limits: { lingerMs: 60_000 } })).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: `Cannot listen on 127.0.0.1 port ${port}: it is taken by another process.`,
    });
  });
});
