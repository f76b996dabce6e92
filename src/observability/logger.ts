import { pino, stdTimeFunctions } from 'pino';
import type { BaseLogger, DestinationStream } from 'pino';
import { loggableFields, loggableText } from './loggable.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes whole lines of JSON; standard output when absent. */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines. Every field and message passes through `loggable`: bounded, without control characters and secrets.
 * Without `child`, whose bindings would pass it by.
 */
export function createLogger({ level, destination }: LoggerOptions): BaseLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggableFields },
      // Ours has already made plain data of errors; the default would look for them again.
      serializers: { err: (value: unknown) => value },
      hooks: {
        logMethod(args, method) {
          method.apply(this, loggableArguments(args) as Parameters<typeof method>);
        },
      },
    },
    destination ?? pino.destination(1),
  );
}

/** `(fields, message, ...values)`, `(error)` or `(message, ...values)`; pino would show the message of an error as it is. */
function loggableArguments([first, message, ...values]: readonly unknown[]): unknown[] {
  const clean = (value: unknown): unknown =>
    typeof value === 'string' ? loggableText(value) : typeof value === 'object' ? '[object]' : value;
  if (typeof first === 'string') return [first, message, ...values].map(clean);
  const fields = first instanceof Error ? { err: first } : first;
  return [fields, clean(message ?? ''), ...values.map(clean)];
}
