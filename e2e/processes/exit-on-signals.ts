const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Turns the signals that end a program into `process.exit`, whose listeners end the processes it started.
 * For scripts run by hand; a test runner has handlers of its own.
 */
export function exitOnSignals(): void {
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.once(signal, () => process.exit(code));
  }
}
