/** A time in a message: `2026-12-01T00:00:00Z`, with milliseconds only where there are any. */
export const timeText = (timeMs: number): string => new Date(timeMs).toISOString().replace('.000Z', 'Z');

/** The same to the whole second before it, as the API server keeps times. */
export const secondText = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
