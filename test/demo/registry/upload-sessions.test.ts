import { describe, expect, it } from 'vitest';
import { UploadSessions } from '../../../src/demo/registry/upload-sessions.ts';

const mebibyte = 1024 * 1024;

describe('UploadSessions', () => {
  it('T11 keeps 64 uploads open; the oldest gives way', () => {
    const sessions = new UploadSessions();
    const ids = Array.from({ length: 65 }, () => sessions.open('app'));
    expect(ids.map((id) => sessions.size('app', id))).toEqual([undefined, ...Array<number>(64).fill(0)]);
  });

  it('T11 bounds one upload and all of them together, and gives room back', () => {
    const sessions = new UploadSessions();
    const chunk = Buffer.alloc(64 * mebibyte);
    const tooLarge = expect.objectContaining({
      code: 'ArtifactTooLarge',
      message: 'The upload is larger than a blob may be (67108864 bytes).',
    }) as Error;
    const ids = Array.from({ length: 5 }, () => sessions.open('app'));
    const [first = '', ...others] = ids;
    const last = others.pop() ?? '';
    sessions.append(first, chunk);
    expect(() => {
      sessions.append(first, Buffer.alloc(1));
    }).toThrow(tooLarge);
    for (const id of others) sessions.append(id, chunk);
    expect(() => {
      sessions.append(last, Buffer.alloc(1));
    }).toThrow(tooLarge);
    expect(sessions.close(first).byteLength).toBe(chunk.byteLength);
    sessions.append(last, Buffer.alloc(1));
    expect(sessions.size('app', last)).toBe(1);
  });
});
