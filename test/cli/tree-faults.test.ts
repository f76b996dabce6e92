import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { createEngine } from '../../src/compose/engine.ts';
import { captureTerminal } from '../support/captured-terminal.ts';
import { startFixtureRegistry } from '../support/fixture-registry.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';

describe('refwarden tree', () => {
  it.each(['text', 'json', 'dot', 'mermaid'])(
    'T28 %s: a registry that is not there is no empty tree',
    async (form) => {
      const gone = await startFixtureRegistry('key-bundle');
      await gone.close();
      const { code, out, err } = await runCommandLine(
        'tree',
        `${gone.host}/acme/app:1.4.0`,
        '--plain-http',
        gone.host,
        '--output',
        form,
      );
      if (form === 'json') expect(JSON.parse(out)).toMatchObject({ error: { code: 'RegistryUnavailable' } });
      else expect([out, err]).toEqual(['', expect.stringMatching(/^RegistryUnavailable: .*\n.+\n$/)]);
      expect(code).toBe(3);
    },
  );

  it('T28 an image that is not there', async () => {
    await using registry = await startFixtureRegistry('key-bundle');
    const { code, out, err } = await runCommandLine(
      'tree',
      `${registry.host}/acme/app:none`,
      '--plain-http',
      registry.host,
    );
    expect([out, err]).toEqual(['', expect.stringMatching(/^ImageNotFound: /)]);
    expect(code).toBe(3);
  });

  it.each([
    [403, 'RegistryUnauthorized'],
    [500, 'RegistryUnavailable'],
  ])('T28 a referrers API that answers %i is a gap, in every form', async (status, failure) => {
    await using registry = await startFixtureRegistry('key-bundle');
    registry.intercept((request, response) => {
      if (!(request.url ?? '').includes('/referrers/')) return false;
      response.writeHead(status).end();
      return true;
    });
    for (const form of ['text', 'json', 'dot', 'mermaid']) {
      const { code, out } = await runCommandLine(
        'tree',
        `${registry.host}/acme/app:1.4.0`,
        '--plain-http',
        registry.host,
        '--output',
        form,
      );
      expect(out).toContain(failure);
      if (form === 'text') {
        expect(out).toMatch(new RegExp(`there may be more: ${failure}: `));
        expect(out).toContain('inconclusive: there may be more than is shown');
      }
      if (form === 'json') expect(JSON.parse(out)).toMatchObject({ complete: false });
      expect(code).toBe(3);
    }
  });

  it('T09 reads a registry with the account that the Docker configuration has for it, and says when that is refused', async () => {
    const account = { username: 'reader', password: 'sesame' };
    await using registry = await startFixtureRegistry('key-bundle', { auth: { kind: 'basic', ...account } });
    const { code, err } = await runCommandLine(
      'tree',
      `${registry.host}/acme/app:1.4.0`,
      '--plain-http',
      registry.host,
    );
    expect(err).toMatch(/^RegistryUnauthorized: /);
    expect(code).toBe(3);
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
    await using files = await writePolicyDirectory({
      'config.json': JSON.stringify({ auths: { [registry.host]: { auth } } }),
    });
    const allowed = await runCommandLine(
      'tree',
      `${registry.host}/acme/app:1.4.0`,
      '--plain-http',
      registry.host,
      '--docker-config',
      join(files.path, 'config.json'),
    );
    expect([allowed.code, allowed.err]).toEqual([0, '']);
    expect(allowed.out).toContain('signature (Sigstore bundle)');
  });

  it('refuses what is no image and no form of output', async () => {
    const image = await runCommandLine('tree', 'a b');
    expect([image.code, image.err]).toEqual([2, expect.stringMatching(/^ImageReferenceInvalid: /)]);
    const form = await runCommandLine('tree', 'ghcr.io/acme/app', '--output', 'yaml');
    expect([form.code, form.err]).toEqual([2, expect.stringContaining('text, json, dot, mermaid')]);
  });

  it('says on a terminal that a slow registry is still being asked, and takes the line back', async () => {
    await using registry = await startFixtureRegistry('key-bundle');
    const shown = Promise.withResolvers<undefined>();
    registry.intercept(async (request) => {
      // After the image itself: what has been found so far is part of the line.
      if ((request.url ?? '').includes('/referrers/')) await shown.promise;
      return false;
    });
    const captured = captureTerminal();
    const terminal = {
      ...captured,
      errIsTerminal: true,
      err: (text: string) => {
        captured.err(text);
        shown.resolve(undefined);
      },
    };
    const code = await runProgram(
      ['tree', `${registry.host}/acme/app:1.4.0`, '--plain-http', registry.host],
      {
        version: '0',
        engine: createEngine(),
        terminal,
        defaults: { releaseNamespace: 'x' },
        interrupted: new AbortController().signal,
      },
    );
    expect(captured.written.err).toContain(
      `Asking the registry about ${registry.host}/acme/app:1.4.0 ... 1 s, 0 found`,
    );
    expect(captured.written.err.endsWith('\r\u001b[2K')).toBe(true);
    expect(captured.written.out).toContain('complete, 1 node around it');
    expect(code).toBe(0);
  });
});
