import type { BaseLogger } from 'pino';
import { toFailure } from '../failures/failure.ts';

/** Tells of what fails over and over only when it begins, changes, or is over. */
export class ProblemLog {
  readonly #logger: BaseLogger;
  readonly #subject: string;
  #told: string | undefined;

  /** @param subject what fails, as a sentence begins. */
  constructor(logger: BaseLogger, subject: string) {
    this.#logger = logger;
    this.#subject = subject;
  }

  /** What was tried last did not succeed. */
  get isFailing(): boolean {
    return this.#told !== undefined;
  }

  failed(cause: unknown): void {
    const { code, message } = toFailure(cause);
    const text = `${this.#subject}: ${message}`;
    if (text === this.#told) return;
    this.#told = text;
    this.#logger.error({ cause, code }, text);
  }

  succeeded(): void {
    if (this.#told === undefined) return;
    this.#told = undefined;
    this.#logger.info(`${this.#subject}: all is well again.`);
  }
}
