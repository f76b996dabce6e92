import { describe, expect, it } from 'vitest';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { encodeReviewResponse } from '../../src/server/review-response.ts';

interface Response {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string; readonly reason: string };
  readonly warnings?: readonly string[];
}

function encode(answer: Partial<ReviewAnswer>): Response {
  const whole = { allowed: false, message: 'no', warnings: [], auditAnnotations: {}, ...answer };
  return (JSON.parse(encodeReviewResponse('u', whole)) as { response: Response }).response;
}

const runes = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Array.from(text).length, 0);

describe('encodeReviewResponse', () => {
  it('tells an admitted review no status and no empty warnings', () => {
    expect(encode({ allowed: true, message: 'ignored' })).toEqual({
      uid: 'u',
      allowed: true,
      auditAnnotations: {},
    });
  });

  it('cuts a warning to 256 runes, not to 256 code units', () => {
    const { warnings } = encode({ warnings: ['🦀'.repeat(256), '🦀'.repeat(257)] });
    expect(warnings).toEqual(['🦀'.repeat(256), `${'🦀'.repeat(253)}...`]);
  });

  it('keeps all warnings under 4096 runes together, and says how many are missing', () => {
    const { warnings = [] } = encode({
      warnings: Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(300)}`),
    });
    expect(runes(warnings)).toBeLessThanOrEqual(4096);
    expect(warnings).toHaveLength(16);
    expect(warnings.at(-1)).toBe('85 more warnings are not shown');
  });

  it('shows as many warnings as fit exactly', () => {
    const { warnings } = encode({ warnings: Array<string>(16).fill('x'.repeat(256)) });
    expect(warnings).toEqual(Array<string>(16).fill('x'.repeat(256)));
  });

  it('T31 frees text of what steers a terminal, and keeps the lines of a message', () => {
    const { status, warnings } = encode({ message: 'a\n\u001b[2Jb\r', warnings: ['c\n\u202ed'] });
    expect(status).toEqual({ code: 403, reason: 'Forbidden', message: 'a\n\ufffd[2Jb\ufffd' });
    expect(warnings).toEqual(['c \ufffdd']);
  });

  it('T31 bounds the message', () => {
    expect(encode({ message: 'x'.repeat(1_000_000) }).status?.message).toBe(`${'x'.repeat(16_381)}...`);
  });
});
