import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { createEngine } from '../../src/compose/engine.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { manifest } from '../demo/registry/documents.ts';
import { captureTerminal } from '../support/captured-terminal.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const app = manifest('app');

interface Running {
  readonly out: string;
  readonly url: string;
  readonly end: () => Promise<number>;
}

/** The command until it has said where it listens. */
async function run(...flags: string[]): Promise<Running> {
  const terminal = captureTerminal();
  const interrupt = new AbortController();
  const code = runProgram(['demo', 'registry', '--listen', '127.0.0.1:0', ...flags], {
    version: '0.0.0-test',
    engine: createEngine(),
    terminal,
    defaults: { releaseNamespace: 'refwarden-system' },
    interrupted: interrupt.signal,
  });
  const end = async (): Promise<number> => {
    interrupt.abort();
    return code;
  };
  onTestFinished(async () => {
    await end();
  });
  await expect.poll(() => terminal.written.out).toContain('Ctrl-C');
  expect(terminal.written.err).toBe('');
  const { out } = terminal.written;
  const host = /^Registry at (127\.0\.0\.1:[0-9]+): plain HTTP/.exec(out)?.[1];
  return { out, url: `http://${host ?? ''}`, end };
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

describe('refwarden demo registry', () => {
  it('serves until interrupted, and says where, by which mechanisms and what to try', async () => {
    const { out, url, end } = await run();
    expect(out).toContain('Mechanisms: Referrers, FallbackTag, CosignTag.\n');
    const image = `${url.slice('http://'.length)}/shop/app`;
    for (const command of ['crane push image.tar', 'oras attach --plain-http', 'cosign sign --key'])
      expect(out).toMatch(new RegExp(`^  ${command} .*${image}[:@]`, 'm'));
    const init = { method: 'PUT', body: app.bytes, headers: { 'content-type': app.mediaType } };
    expect((await fetch(`${url}/v2/shop/app/manifests/1.0`, init)).status).toBe(201);
    expect(await statusOf(`${url}/v2/shop/app/manifests/1.0`)).toBe(200);
    expect(await end()).toBe(0);
    await expect(fetch(`${url}/v2/`)).rejects.toThrow('fetch failed');
  });

  it.each([
    ['Referrers', [200, 404, 404, 404]],
    ['References', [404, 200, 404, 404]],
    ['Oras', [404, 404, 200, 200]],
    ['References, Referrers,Oras', [200, 200, 200, 200]],
    ['FallbackTag,CosignTag', [404, 404, 404, 404]],
  ])('offers %s and nothing else', async (mechanisms, expected) => {
    const { url, end } = await run('--mechanisms', mechanisms);
    const init = { method: 'PUT', body: app.bytes, headers: { 'content-type': app.mediaType } };
    await fetch(`${url}/v2/a/manifests/1`, init);
    const paths = [
      `/v2/a/referrers/${app.digest}`,
      '/v2/a/manifests/1/references',
      `/oras/artifacts/v1/a/manifests/${app.digest}/referrers`,
      `/v2/a/_oras/artifacts/referrers?digest=${app.digest}`,
    ];
    expect(await Promise.all(paths.map((path) => statusOf(`${url}${path}`)))).toEqual(expected);
    await end();
  });

  it('starts with the layouts it is given', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'refwarden-layout='));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }));
    const fixture = join(import.meta.dirname, '..', 'fixtures', 'cosign', 'unsigned');
    const { url } = await run('--layout', `${fixture}=acme/app`, '--layout', `${directory}=empty`);
    const { tags } = (await (await fetch(`${url}/v2/acme/app/tags/list`)).json()) as { tags: string[] };
    expect(tags).not.toEqual([]);
  });
});

describe('refwarden demo registry refuses', () => {
  const cannotStart = 'ConfigurationInvalid: The embedded registry cannot start: ';
  const noMechanism = 'ConfigurationInvalid: No such mechanism: ';
  it.each([
    [['--listen', 'nowhere'], 'ConfigurationInvalid: "nowhere" is no address: write host:port.\n'],
    [
      ['--listen', '127.0.0.1:70000'],
      'ConfigurationInvalid: "127.0.0.1:70000" is no address: write host:port.\n',
    ],
    [['--listen', '192.0.2.1:1'], `${cannotStart}192.0.2.1:1 is no address of this machine.\n`],
    [
      ['--mechanisms', 'Referrers,oras'],
      `${noMechanism}"oras". There are: References, Referrers, Oras, FallbackTag, CosignTag.\n`,
    ],
    [['--mechanisms', ''], `${noMechanism}"". There are: References,`],
    [
      ['--layout', 'directory'],
      'ConfigurationInvalid: --layout "directory" is not DIRECTORY=REPOSITORY, with a repository name such as shop/app.\n',
    ],
    [
      ['--layout', 'directory=No Name'],
      'ConfigurationInvalid: --layout "directory=No Name" is not DIRECTORY=',
    ],
    [
      ['--layout', '/nowhere=app'],
      'ConfigurationInvalid: /nowhere is no OCI image layout: it has no index.json.\n',
    ],
    [['--once'], "error: unknown option '--once'"],
    [['more'], "error: too many arguments for 'registry'."],
  ])('%j', async (flags, message) => {
    const { code, out, err } = await runCommandLine('demo', 'registry', ...flags);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  it('a port that is taken', async () => {
    await using taken = await startRegistry({ mechanisms: { references: false, referrers: false } });
    const { code, err } = await runCommandLine('demo', 'registry', '--listen', taken.host);
    expect(code).toBe(2);
    expect(err).toContain(`${cannotStart}${taken.host} is taken by another process.\n`);
  });
});
