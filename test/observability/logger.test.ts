import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { captureLog } from '../support/captured-log.ts';

describe('createLogger', () => {
  it('writes one JSON line with level, time and message', () => {
    const { log, lines } = captureLog();
    log.info({ port: 8443 }, 'Listening');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        port: 8443,
        msg: 'Listening',
      },
    ]);
  });

  it('leaves out what is below its level', () => {
    const written: string[] = [];
    const log = createLogger({ level: 'warn', destination: { write: (line) => void written.push(line) } });
    log.info('not this');
    log.warn('but this');
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('but this');
  });

  it('T31 redacts secrets by field name at any depth and in any case', () => {
    const { log, lines } = captureLog();
    log.info(
      {
        Authorization: 'a',
        request: { headers: { cookie: 'b', 'X-Auth-Token': 'c' } },
        list: [{ password: 'd' }],
      },
      'x',
    );
    expect(lines()[0]).toMatchObject({
      Authorization: '[redacted]',
      request: { headers: { cookie: '[redacted]', 'X-Auth-Token': '[redacted]' } },
      list: [{ password: '[redacted]' }],
    });
  });

  it.each([
    ['Bearer eyJh.bGci-Oi', 'Bearer [redacted]'],
    ['GET https://user:pass@registry.example/v2/', 'GET https://[redacted]@registry.example/v2/'],
    ['/token?service=x&refresh_token=abc&scope=y', '/token?service=x&refresh_token=[redacted]&scope=y'],
    ['https://s3.example/blob?X-Amz-Signature=0a1b', 'https://s3.example/blob?X-Amz-Signature=[redacted]'],
  ])('T31 redacts secrets within text: %s', (text, expected) => {
    const { log, lines } = captureLog();
    log.info({ field: text, cause: new Error(text) }, text);
    log.error(new Error(text));
    log.error({ err: new Error(text) });
    expect(lines()[0]).toMatchObject({ field: expected, cause: { message: expected }, msg: expected });
    expect(lines()[1]).toMatchObject({ err: { message: expected }, msg: '' });
    expect(lines()[2]).toMatchObject({ err: { message: expected }, msg: '' });
  });

  it('T31 logs of a chain of causes only names, codes and messages', () => {
    const { log, lines } = captureLog();
    const answer = Object.assign(new Error('Response status 500'), {
      code: 'UND_ERR_RESPONSE',
      body: 'stolen registry body',
    });
    log.error(
      { cause: new RefwardenError('RegistryUnavailable', 'ghcr.io answered 500.', answer) },
      'No answer',
    );
    expect(lines()[0]?.['cause']).toEqual({
      name: 'RefwardenError',
      code: 'RegistryUnavailable',
      message: 'ghcr.io answered 500.',
      cause: {
        name: 'Error',
        code: 'UND_ERR_RESPONSE',
        message: 'Response status 500',
        at: expect.arrayContaining([expect.stringMatching(/^at /)]) as string[],
      },
    });
  });

  it('T31 cuts long text, long lists and deep nesting, and an endless chain of causes', () => {
    const { log, lines } = captureLog();
    const circular = new Error('again');
    circular.cause = circular;
    log.info(
      {
        text: 'x'.repeat(1_000_000),
        list: Array(1000).fill(1),
        deep: { a: { b: { c: { d: { e: 1 } } } } },
        circular,
      },
      'x',
    );
    const line = lines()[0] ?? {};
    expect(line['text']).toBe(`${'x'.repeat(500)}...`);
    expect(line['list']).toHaveLength(50);
    expect(JSON.stringify(line['deep'])).toContain('[too deep]');
    expect(JSON.stringify(line['circular'])).toContain('[too deep]');
    expect(JSON.stringify(line).length).toBeLessThan(10_000);
  });

  it('T31 replaces control characters in fields, messages and interpolated values', () => {
    const { log, lines } = captureLog();
    log.info({ field: 'a\u001b[31mred\r\nlevel=info' }, 'm\u0007 %s', 'v\u202e');
    expect(lines()[0]).toMatchObject({ field: 'a\ufffd[31mred\ufffd level=info', msg: 'm\ufffd v\ufffd' });
  });

  it('logs bytes by their count', () => {
    const { log, lines } = captureLog();
    log.info({ body: Buffer.from('secret') }, 'x');
    expect(lines()[0]).toMatchObject({ body: '[6 bytes]' });
  });
});
