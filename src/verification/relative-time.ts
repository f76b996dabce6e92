import { timeText } from '../failures/time-text.ts';

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `2026-11-20T00:00:00Z (3 days ago)`: a time for people, who read messages long after or without a clock. */
export function describeTime(timeMs: number, nowMs: number): string {
  const distanceMs = Math.abs(nowMs - timeMs);
  const [unit, unitMs] = units.find(([, ms]) => distanceMs >= ms) ?? ['second', 1000];
  const count = Math.floor(distanceMs / unitMs);
  const distance = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return `${timeText(timeMs)} (${timeMs > nowMs ? `in ${distance}` : `${distance} ago`})`;
}
