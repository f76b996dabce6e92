// A setup file of vitest: its workers are ended by SIGTERM, and what they started must not outlive them.
import { exitOnSignals } from './processes/exit-on-signals.ts';

exitOnSignals();
