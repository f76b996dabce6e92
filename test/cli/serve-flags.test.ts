import { describe, expect, it } from 'vitest';
import type { ServeOptions } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { createEngine } from '../../src/compose/engine.ts';
import { captureTerminal } from '../support/captured-terminal.ts';

const files = ['--tls-cert', 'tls.crt', '--tls-key', 'tls.key'];
const dayMs = 86_400_000;

/** With what it would have served, in place of serving; undefined when it refuses. */
async function serve(
  ...argv: string[]
): Promise<{ code: number; err: string; options: ServeOptions | undefined }> {
  const terminal = captureTerminal();
  let served: ServeOptions | undefined;
  const code = await runProgram(['serve', ...argv], {
    version: '0.0.0-test',
    engine: {
      ...createEngine(),
      serve: (options) => {
        served = options;
        return Promise.resolve();
      },
    },
    terminal,
    defaults: { releaseNamespace: 'refwarden-system' },
    interrupted: new AbortController().signal,
  });
  return { code, err: terminal.written.err, options: served };
}

describe('refwarden serve', () => {
  it('reads policies and pull secrets from the cluster, pins, and admits what no policy matches, unless told otherwise', async () => {
    expect(await serve(...files)).toEqual({
      code: 0,
      err: '',
      options: {
        certificate: { kind: 'Files', certFile: 'tls.crt', keyFile: 'tls.key' },
        releaseNamespace: 'refwarden-system',
        listen: '0.0.0.0:8443',
        operationsListen: '0.0.0.0:8080',
        plainHttp: [],
        noMatch: 'Admit',
        maxExceptionMs: 90 * dayMs,
        pullSecrets: true,
        pinning: true,
        logLevel: 'info',
      },
    });
  });

  it.each<[string, string[], Partial<ServeOptions>]>([
    [
      'reads no pull secrets where there is no cluster to read policies from',
      ['--policies', 'policies'],
      { policies: 'policies', pullSecrets: false },
    ],
    ['reads no pull secrets where it is told so', ['--no-pull-secrets'], { pullSecrets: false }],
    [
      'reads pull secrets from the cluster that it is given',
      ['--kubeconfig', 'admin.conf'],
      { kubeconfig: 'admin.conf', pullSecrets: true },
    ],
    ['leaves tags where it is told so', ['--no-pinning'], { pinning: false }],
    ['knows its clients', ['--client-ca', 'clients.pem'], { clientCa: 'clients.pem' }],
    [
      'counts exceptions as long as it is told',
      ['--max-exception-days', '30'],
      { maxExceptionMs: 30 * dayMs },
    ],
    ['counts exceptions for hours', ['--max-exception-days', '0.5'], { maxExceptionMs: dayMs / 2 }],
    ['counts exceptions for years', ['--max-exception-days', '3650'], { maxExceptionMs: 3650 * dayMs }],
    [
      'registers webhooks of a certificate that others provide',
      ['--webhooks', 'webhooks.yaml', '--webhook-ca', 'ca.pem'],
      {
        webhooks: 'webhooks.yaml',
        certificate: { kind: 'Files', certFile: 'tls.crt', keyFile: 'tls.key', caFile: 'ca.pem' },
      },
    ],
  ])('%s', async (_what, argv, options) => {
    const served = await serve(...files, ...argv);
    expect(served).toMatchObject({ code: 0, err: '', options });
  });

  it('makes the certificate of its webhooks itself', async () => {
    const { options } = await serve('--certificate-secret', 'certificates', '--webhooks', 'webhooks.yaml');
    expect(options).toMatchObject({
      certificate: { kind: 'Secret', name: 'certificates' },
      webhooks: 'webhooks.yaml',
    });
  });

  const noCertificate = "give '--tls-cert' and '--tls-key', or '--certificate-secret' and '--webhooks'";
  const alone = "with '--tls-cert', options '--webhooks' and '--webhook-ca' go together";
  const conflict = (one: string, other: string): string =>
    `option '${one}' cannot be used with option '${other}'`;
  const secret = ['--certificate-secret', 'certificates', '--webhooks', 'webhooks.yaml'];
  const days = "option '--max-exception-days <days>' argument";

  it.each<[string, string[], string]>([
    ['no certificate', [], noCertificate],
    ['a certificate without its key', ['--tls-cert', 'tls.crt'], noCertificate],
    ['a key without its certificate', ['--tls-key', 'tls.key'], noCertificate],
    ['webhooks without a certificate', ['--webhooks', 'w', '--webhook-ca', 'ca.pem'], noCertificate],
    ['webhooks whose authority nobody knows', [...files, '--webhooks', 'w'], alone],
    ['an authority that nobody is told of', [...files, '--webhook-ca', 'ca.pem'], alone],
    [
      'a Secret without webhooks',
      ['--certificate-secret', 'certificates'],
      "option '--certificate-secret' needs '--webhooks'",
    ],
    [
      'a Secret and a certificate',
      [...secret, '--tls-cert', 'tls.crt'],
      conflict('--certificate-secret <name>', '--tls-cert <file>'),
    ],
    [
      'a Secret and a key',
      [...secret, '--tls-key', 'tls.key'],
      conflict('--certificate-secret <name>', '--tls-key <file>'),
    ],
    [
      'a Secret and an authority of others',
      [...secret, '--webhook-ca', 'ca.pem'],
      conflict('--certificate-secret <name>', '--webhook-ca <file>'),
    ],
    [
      'policies of a cluster and of a directory',
      [...files, '--policies', 'policies', '--kubeconfig', 'admin.conf'],
      conflict('--kubeconfig <file>', '--policies <dir>'),
    ],
    [
      'webhooks, and policies of a directory',
      [...files, '--policies', 'policies', '--webhooks', 'w', '--webhook-ca', 'ca.pem'],
      conflict('--webhooks <file>', '--policies <dir>'),
    ],
    [
      'a level that there is not',
      [...files, '--log-level', 'loud'],
      "'loud' is invalid. Allowed choices are",
    ],
    ['exceptions of no time', [...files, '--max-exception-days', '0'], `${days} '0' is invalid`],
    ['exceptions of more than ten years', [...files, '--max-exception-days', '3650.5'], `${days} '3650.5'`],
    [
      'exceptions of a time that is none',
      [...files, '--max-exception-days', 'all'],
      'Give days, more than 0 and at most 3650.',
    ],
  ])('refuses %s', async (_what, argv, message) => {
    const { code, err, options } = await serve(...argv);
    expect(err).toContain(message);
    expect([code, options]).toEqual([2, undefined]);
  });
});
