import { expect } from 'vitest';
import { anonymous } from '../../src/admission/ports.ts';
import type { Clock, Credentials, QueuedCaller, RegistryAccess } from '../../src/admission/ports.ts';
import { RequestTrace } from '../../src/admission/request-trace.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import type { RegistryClientOptions } from '../../src/registry/registry-client.ts';
import type { RegistrySettings } from '../../src/registry/registry-settings.ts';
import type { Caller } from '../../src/registry/single-flight.ts';

export function accessOf(given: Partial<RegistryAccess> = {}): RegistryAccess {
  return {
    tenant: 'shop',
    credentials: anonymous,
    signal: new AbortController().signal,
    trace: new RequestTrace(),
    ...given,
  };
}

export function account(scope: string, username = 'reader', password = 'sesame'): Credentials {
  return { scope: () => scope, account: () => Promise.resolve({ username, password }) };
}

/** Who enters a gate, or joins shared work. */
export function callerOf(
  name = 'shop',
  signal = new AbortController().signal,
): QueuedCaller & Caller & { readonly queued: boolean[] } {
  const queued: boolean[] = [];
  return {
    tenant: { name, share: 1 },
    signal,
    queued,
    setQueued: (isQueued) => {
      queued.push(isQueued);
    },
  };
}

export class TestClock implements Clock {
  #nowMs = Date.parse('2026-05-01T12:00:00Z');

  nowMs(): number {
    return this.#nowMs;
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}

/** Options for a registry on loopback: plain HTTP, no waiting between attempts. */
export function plainHttp(host: string, settings: Partial<RegistrySettings> = {}): RegistryClientOptions {
  return { registries: [{ host, plainHttp: true, ...settings }], sleep: () => Promise.resolve() };
}

export async function expectFailure(
  work: Promise<unknown>,
  code: FailureCode,
  message: RegExp | string,
): Promise<void> {
  const thrown = await work.then(
    (value) => ({ unexpected: value }),
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ name: 'RefwardenError', code });
  const said = thrown instanceof Error ? thrown.message : '';
  if (typeof message === 'string') expect(said).toBe(message);
  else expect(said).toMatch(message);
}
