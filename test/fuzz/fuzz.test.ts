import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

describe('the parsers on mutants of real documents', () => {
  it('T26 T11 read each alike twice, or refuse it by a code of the catalogue', () => {
    const inputs = 3000;
    const report = fuzz(26, (input) => input < inputs);
    expect(report.finding).toBeUndefined();
    expect(report.inputs).toBe(inputs);
    // Mutants that are all refused, or all accepted, would test nothing.
    for (const [target, { read, refused }] of report.outcomes) {
      expect(read, `${target}: read`).toBeGreaterThan(10);
      expect(refused, `${target}: refused`).toBeGreaterThan(10);
    }
  });
});
