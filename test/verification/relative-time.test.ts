import { expect, it } from 'vitest';
import { describeTime } from '../../src/verification/relative-time.ts';

const now = Date.UTC(2026, 10, 26, 12);
it.each([
  [Date.UTC(2026, 10, 23, 12), '2026-11-23T12:00:00Z (3 days ago)'],
  [Date.UTC(2026, 10, 23, 12) + 1, '2026-11-23T12:00:00.001Z (2 days ago)'],
  [Date.UTC(2026, 10, 25, 12), '2026-11-25T12:00:00Z (1 day ago)'],
  [Date.UTC(2026, 10, 26, 9), '2026-11-26T09:00:00Z (3 hours ago)'],
  [Date.UTC(2026, 10, 26, 11, 59), '2026-11-26T11:59:00Z (1 minute ago)'],
  [now, '2026-11-26T12:00:00Z (0 seconds ago)'],
  [Date.UTC(2026, 11, 1, 12), '2026-12-01T12:00:00Z (in 5 days)'],
])('describeTime: %d is %s', (timeMs, text) => {
  expect(describeTime(timeMs, now)).toBe(text);
});
