const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Turns the signals that end a program into `process.exit`, whose listeners end the processes it started.
 * A second signal does not cut that short.
 */
export function exitOnSignals(): void {
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => process.exit(code));
  }
}
