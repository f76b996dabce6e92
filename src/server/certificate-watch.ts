import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { BaseLogger } from 'pino';
import { EarliestTimer } from '../admission/earliest-timer.ts';
import type { Clock } from '../admission/ports.ts';
import { toFailure } from '../failures/failure.ts';
import { loadServingCertificate } from './serving-certificate.ts';
import type { CertificateFiles, ServingCertificate } from './serving-certificate.ts';

/** A Secret's files change in several steps: this long after the first one they are read, milliseconds. */
const settleMs = 500;
/** They are read this often in any case, milliseconds: a watch may miss the symlink swap of a mounted Secret. */
const pollMs = 60_000;
/** A certificate with less than this left is warned of, milliseconds. */
const expiryWarningMs = 7 * 24 * 3_600_000;

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  /** The pair in use. */
  readonly current: ServingCertificate;
  /** Takes a new pair into use; when it throws, the former counts as in use. */
  readonly use: (certificate: ServingCertificate) => void;
  /** Whether clients know the authority of what is mounted now; asked until they do, or the pair in use has expired. */
  readonly isPropagated?: () => Promise<boolean>;
  readonly log: BaseLogger;
  readonly clock: Clock;
  readonly settleMs?: number;
  readonly pollMs?: number;
}

/**
 * Follows the files of the serving certificate. A new pair that cannot be used is logged, and the last good one
 * stays in use.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #watchers: FSWatcher[];
  /** An event only ever brings the next read forward, a read plans the next. */
  readonly #timer = new EarliestTimer(() => void this.#read());
  #current: ServingCertificate;
  /** The last read failed: of files that are being swapped one may be old and the other new. */
  #isDoubtful = false;
  /** The last warning given, so that each is given once. */
  #warned: string | undefined;
  #closed = false;
  /** The certificate that was said to wait. */
  #waitingFor: string | undefined;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#current = options.current;
    const directories = new Set([options.files.certFile, options.files.keyFile].map((file) => dirname(file)));
    this.#watchers = [...directories].flatMap((directory) => this.#watch(directory));
    this.#warnOfExpiry();
    this.#timer.schedule(options.pollMs ?? pollMs);
  }

  /** The pair in use: its expiry is a metric. */
  get current(): ServingCertificate {
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(directory: string): FSWatcher[] {
    const pollingOnly = (cause: unknown): void => {
      this.#options.log.warn(
        { cause, directory },
        'The serving certificate is not watched, only read periodically',
      );
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => {
        this.#timer.schedule(this.#options.settleMs ?? settleMs);
      });
      watcher.on('error', pollingOnly);
      return [watcher];
    } catch (cause) {
      pollingOnly(cause);
      return [];
    }
  }

  async #read(): Promise<void> {
    const { files, settleMs: soonMs = settleMs, pollMs: laterMs = pollMs } = this.#options;
    try {
      const certificate = await loadServingCertificate(files);
      if (this.#closed) return;
      this.#isDoubtful = false;
      if (await this.#mustWait(certificate)) this.#timer.schedule(soonMs);
      else this.#take(certificate);
    } catch (cause) {
      this.#isDoubtful = !this.#isDoubtful;
      if (this.#isDoubtful) {
        this.#timer.schedule(soonMs);
        return;
      }
      this.#refuse(cause);
    }
    this.#warnOfExpiry();
    this.#timer.schedule(laterMs);
  }

  /** One by an authority that clients have not heard of would be refused. */
  async #mustWait(certificate: ServingCertificate): Promise<boolean> {
    const { isPropagated, clock, log } = this.#options;
    const hasExpired = this.#current.expiresAtMs <= clock.nowMs();
    if (isPropagated === undefined || hasExpired || isSame(certificate, this.#current)) return false;
    if (await isPropagated()) return false;
    if (certificate.cert !== this.#waitingFor) {
      log.info('A new serving certificate waits until the API server was told of its authority');
    }
    this.#waitingFor = certificate.cert;
    return true;
  }

  #take(certificate: ServingCertificate): void {
    if (isSame(certificate, this.#current)) return;
    const { use, log } = this.#options;
    try {
      use(certificate);
    } catch (cause) {
      this.#refuse(cause);
      return;
    }
    this.#current = certificate;
    log.info(
      { expiresAt: new Date(certificate.expiresAtMs).toISOString() },
      'A new serving certificate is in use',
    );
  }

  #refuse(cause: unknown): void {
    this.#options.log.error(
      { cause, code: toFailure(cause).code },
      'The new serving certificate cannot be used; the last one stays',
    );
  }

  #warnOfExpiry(): void {
    const { expiresAtMs } = this.#current;
    const leftMs = expiresAtMs - this.#options.clock.nowMs();
    if (leftMs > expiryWarningMs) return;
    const warning = `The serving certificate ${leftMs > 0 ? 'expires soon' : 'has expired: the API server refuses it'}`;
    const expiresAt = new Date(expiresAtMs).toISOString();
    if (this.#warned === warning + expiresAt) return;
    this.#warned = warning + expiresAt;
    this.#options.log.warn({ expiresAt }, warning);
  }
}

const isSame = (one: ServingCertificate, other: ServingCertificate): boolean =>
  one.cert === other.cert && one.key === other.key;
