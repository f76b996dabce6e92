import { describe, expect, it } from 'vitest';
import {
  parseSeverity,
  worstSeverity,
} from '../../../../src/verification/attestation/vulnerabilities/severity.ts';

describe('parseSeverity', () => {
  it.each([
    ['CRITICAL', 'critical'],
    ['High', 'high'],
    ['Important', 'high'],
    ['moderate', 'medium'],
    ['Negligible', 'negligible'],
    ['UNKNOWN', 'unknown'],
    ['', 'unknown'],
    ['10', 'critical'],
    ['10.0', 'critical'],
    ['9.0', 'critical'],
    ['8.9', 'high'],
    ['7', 'high'],
    ['6.9', 'medium'],
    ['4.0', 'medium'],
    ['3.9', 'low'],
    ['0.1', 'low'],
    ['0.0', 'unknown'],
  ])('%j is %s', (text, severity) => {
    expect(parseSeverity(text)).toBe(severity);
  });

  it.each(['Severe', '11', '-1', '9.8 ', '1e1', 'CVSS:3.1/AV:N', '__proto__', 'constructor'])(
    'refuses %j: it must not pass for harmless',
    (text) => {
      expect(() => parseSeverity(text)).toThrow(
        expect.objectContaining({
          code: 'PayloadInvalid',
          message: `The report has a severity "${text}", which is not known.`,
        }) as Error,
      );
    },
  );
});

describe('worstSeverity', () => {
  it('is the worst that can be told', () => {
    expect(worstSeverity(['low', '9.8', 'medium'])).toBe('critical');
    expect(worstSeverity(['CVSS:3.1/AV:N', 'low'])).toBe('low');
    expect(worstSeverity([])).toBe('unknown');
    expect(() => worstSeverity(['CVSS:3.1/AV:N', 'x'])).toThrow('severity "CVSS:3.1/AV:N, x"');
  });
});
