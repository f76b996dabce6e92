import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HostLookups } from '../../src/network/host-lookups.ts';
import type { ResolveHost } from '../../src/network/host-lookups.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const address = (last: number) => [{ address: `192.0.2.${last}`, family: 4 }];
const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
const again = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' });

/** Name servers that answer when they are told to. */
function scripted(maxActive: number) {
  const asked: string[] = [];
  const open = new Map<string, Parameters<ResolveHost>[1]>();
  const lookups = new HostLookups((hostname, done) => {
    asked.push(hostname);
    open.set(hostname, done);
  }, maxActive);
  const answers: string[] = [];
  return {
    asked,
    answers,
    ask: (hostname: string): void => {
      lookups.lookUp(hostname, (error, addresses) => {
        const code = error !== null && 'code' in error ? String(error.code) : error?.message;
        answers.push(`${hostname} ${code ?? addresses.map((each) => each.address).join()}`);
      });
    },
    answer: (hostname: string, error: Error | null, last = 1): void => {
      open.get(hostname)?.(error, error === null ? address(last) : []);
    },
  };
}

describe('HostLookups', () => {
  it('asks once for all that wait, and believes the answer for half a minute', async () => {
    const { ask, answer, asked, answers } = scripted(4);
    ask('a.example');
    ask('a.example');
    answer('a.example', null);
    expect(answers).toEqual(['a.example 192.0.2.1', 'a.example 192.0.2.1']);
    ask('a.example');
    await vi.advanceTimersByTimeAsync(1);
    expect(answers).toHaveLength(3);
    expect(asked).toEqual(['a.example']);
    await vi.advanceTimersByTimeAsync(30_000);
    ask('a.example');
    expect(asked).toEqual(['a.example', 'a.example']);
    answer('a.example', null, 2);
    expect(answers.at(-1)).toBe('a.example 192.0.2.2');
  });

  it('T39 names whose servers are silent keep no name waiting that answered before', async () => {
    const { ask, answer, asked, answers } = scripted(4);
    ask('good.example');
    answer('good.example', null);
    await vi.advanceTimersByTimeAsync(31_000);
    for (let i = 0; i < 20; i++) ask(`silent${i}.example`);
    // A place is kept, and asked at once.
    expect(asked).toEqual(['good.example', 'silent0.example', 'silent1.example', 'silent2.example']);
    ask('good.example');
    expect(asked.at(-1)).toBe('good.example');
    // Even if its own server is silent now.
    await vi.advanceTimersByTimeAsync(500);
    expect(answers).toEqual(['good.example 192.0.2.1', 'good.example 192.0.2.1']);
  });

  it('T39 says of a look-up that could not begin that it was not the registry that kept silent', async () => {
    const { ask, answer, answers, asked } = scripted(2);
    ask('silent.example');
    ask('other.example');
    await vi.advanceTimersByTimeAsync(2000);
    expect(answers).toEqual(['other.example Overloaded']);
    // Whoever waits no longer is not asked for.
    answer('silent.example', again);
    expect(answers.at(-1)).toBe('silent.example EAI_AGAIN');
    expect(asked).toEqual(['silent.example']);
    ask('next.example');
    expect(asked.at(-1)).toBe('next.example');
  });

  it('believes addresses of before for an hour when there is no answer, but not that a name is still there', async () => {
    const { ask, answer, answers } = scripted(4);
    ask('a.example');
    answer('a.example', null);
    await vi.advanceTimersByTimeAsync(60_000);
    ask('a.example');
    answer('a.example', again);
    expect(answers.at(-1)).toBe('a.example 192.0.2.1');
    ask('a.example');
    answer('a.example', notFound);
    expect(answers.at(-1)).toBe('a.example ENOTFOUND');
    await vi.advanceTimersByTimeAsync(3_600_000);
    ask('a.example');
    answer('a.example', again);
    expect(answers.at(-1)).toBe('a.example EAI_AGAIN');
  });

  it('turns away more names than may wait', () => {
    const { ask, answers } = scripted(2);
    for (let i = 0; i < 1002; i++) ask(`silent${i}.example`);
    expect(answers).toEqual(['silent1001.example Overloaded']);
  });
});
