import { createLogger } from '../../src/observability/logger.ts';

/** A real logger whose lines are kept instead of printed. */
export function captureLog(): {
  log: ReturnType<typeof createLogger>;
  lines: () => Record<string, unknown>[];
} {
  const written: string[] = [];
  const log = createLogger({ level: 'debug', destination: { write: (line) => void written.push(line) } });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}
