import { isIPv4 } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GuardedAgents } from '../../src/network/guarded-agents.ts';
import type { ResolveHost } from '../../src/network/host-lookups.ts';
import type { AddressClass } from '../../src/network/address-class.ts';
import { defaultRegistryLimits } from '../../src/registry/limits.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { expectFailure } from '../registry/registry-access.ts';

function agents(resolveHost?: ResolveHost): GuardedAgents {
  const started = new GuardedAgents(defaultRegistryLimits, resolveHost);
  onTestFinished(() => started.close());
  return started;
}

async function get(from: GuardedAgents, reach: AddressClass, origin: string): Promise<number> {
  const answer = await from.for(reach).request({ origin, path: '/', method: 'GET' });
  await answer.body.dump();
  return answer.statusCode;
}

const refusal = (host: string): string =>
  `${host} is not asked: its address is local to the cluster or the machine, and it is not allowed by name.`;

describe('GuardedAgents', () => {
  it('T10 connects no further than its reach, by literal address', async () => {
    const server = await hostileServer((_, response) => response.end());
    const guarded = agents();
    await expectFailure(get(guarded, 'private', server.url), 'RegistryRefused', refusal('127.0.0.1'));
    const mapped = server.url.replace('127.0.0.1', '[::ffff:127.0.0.1]');
    await expectFailure(get(guarded, 'public', mapped), 'RegistryRefused', refusal('::ffff:7f00:1'));
    expect(server.seen).toEqual([]);
    expect(await get(guarded, 'loopback', server.url)).toBe(200);
    expect(guarded.seenAt(new URL(server.url))).toBe('loopback');
    expect(guarded.seenAt(new URL('http://never.example'))).toBe('public');
  });

  it.each([
    '10.0.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    '::ffff:7f00:1',
    'fd00::1',
  ])('T10 goes from a public registry to nothing at %s, by address or by name', async (address) => {
    const guarded = agents((_, done) => {
      done(null, [{ address, family: isIPv4(address) ? 4 : 6 }]);
    });
    const literal = isIPv4(address) ? address : `[${address}]`;
    for (const host of [literal, 'storage.example', 'localhost'])
      await expectFailure(
        get(guarded, 'public', `http://${host}:1`),
        'RegistryRefused',
        refusal(host.replace(/[[\]]/g, '')),
      );
  });

  it.each(['0x7f.1', '2130706433', '017700000001', '127.1', '0'])(
    'T10 reads %s as the address that it is',
    async (spelled) => {
      const url = new URL(`http://${spelled}:1`);
      await expectFailure(
        get(agents(), 'private', url.origin),
        'RegistryRefused',
        refusal(spelled === '0' ? '0.0.0.0' : '127.0.0.1'),
      );
    },
  );

  it('T10 refuses a name of which any address is out of reach', async () => {
    const server = await hostileServer((_, response) => response.end());
    const guarded = agents((_, done) => {
      done(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    });
    const origin = server.url.replace('127.0.0.1', 'mixed.example');
    await expectFailure(get(guarded, 'public', origin), 'RegistryRefused', refusal('mixed.example'));
    expect(server.seen).toEqual([]);
  });

  it('T10 looks at the address of each connection, so that a name that moves gains nothing', async () => {
    const server = await hostileServer((_, response) => {
      response.setHeader('connection', 'close');
      response.end();
    });
    let address = '127.0.0.1';
    const guarded = agents((_, done) => {
      done(null, [{ address, family: 4 }]);
    });
    const origin = server.url.replace('127.0.0.1', 'moving.example');
    expect(await get(guarded, 'loopback', origin)).toBe(200);
    address = '169.254.169.254';
    await expectFailure(get(guarded, 'loopback', origin), 'RegistryRefused', refusal('moving.example'));
    expect(server.seen).toHaveLength(1);
  });
});
