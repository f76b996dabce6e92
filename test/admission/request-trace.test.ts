import { describe, expect, it } from 'vitest';
import { RequestTrace } from '../../src/admission/request-trace.ts';

describe('RequestTrace', () => {
  it('counts nothing before the first request', () => {
    const trace = new RequestTrace();
    expect([trace.total, trace.sequential]).toEqual([0, 0]);
  });

  it('counts requests side by side as one step', () => {
    const trace = new RequestTrace();
    const ends = [trace.start(), trace.start(), trace.start()];
    for (const end of ends) end();
    expect([trace.total, trace.sequential]).toEqual([3, 1]);
  });

  it('counts a request after another as a further step', () => {
    const trace = new RequestTrace();
    trace.start()();
    const long = trace.start();
    trace.start()();
    trace.start()();
    long();
    expect([trace.total, trace.sequential]).toEqual([4, 3]);
  });

  it('counts a request that never ends, and none as depending on it', () => {
    const trace = new RequestTrace();
    trace.start();
    trace.start();
    expect([trace.total, trace.sequential]).toEqual([2, 1]);
  });
});
