import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/kubernetes/backoff.ts';

describe('Backoff', () => {
  it('doubles up to its limit, takes off up to a half by chance, and starts again', () => {
    for (let round = 0; round < 50; round++) {
      const backoff = new Backoff(100, 450);
      for (const fullMs of [100, 200, 400, 450, 450]) {
        const delayMs = backoff.nextDelayMs();
        expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(delayMs).toBeLessThanOrEqual(fullMs);
      }
      backoff.reset();
      expect(backoff.nextDelayMs()).toBeLessThanOrEqual(100);
    }
  });

  it('spreads replicas out', () => {
    const delays = Array.from({ length: 50 }, () => new Backoff(1000, 1000).nextDelayMs());
    expect(new Set(delays).size).toBeGreaterThan(10);
  });
});
