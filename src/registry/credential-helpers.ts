import { LRUCache } from 'lru-cache';
import type { Account, Clock } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import { isJsonObject, parseStrictJsonText } from '../oci/strict-json.ts';
import type { Json } from '../oci/strict-json.ts';
import { reasonOf, runProgramOnce } from './run-program.ts';

/** Time that one run of a helper may take, milliseconds; some of them ask a cloud. */
const helperTimeoutMs = 10_000;
/** Largest answer of a helper, bytes. */
const maxHelperOutputBytes = 64 * 1024;
/** How long an answer is believed, milliseconds: tokens of clouds live for an hour and more. */
const helperAnswerTtlMs = 5 * 60_000;
/** Answers kept, and runs under way. */
const maxHelperAnswers = 1_000;

/** The whole answer of a helper that has none (docker-credential-helpers, credentials/error.go), and its user name of identity tokens. */
const notFound = 'credentials not found in native keychain';
const identityTokenUser = '<token>';

interface Outcome {
  readonly kind: 'account' | 'notFound' | 'notInstalled';
  readonly account?: Account;
}

/**
 * Runs Docker's credential helpers: `docker-credential-NAME get` with the server on its standard input, found by PATH
 * and without a shell. They are programs of the user's machine: only a command that the user runs may run them.
 */
export class CredentialHelpers {
  readonly #answers = new LRUCache<
    string,
    { readonly outcome: Promise<Outcome>; readonly askedAtMs: number }
  >({
    max: maxHelperAnswers,
  });
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(clock: Clock, timeoutMs: number = helperTimeoutMs) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The account of a server that the helper was named for; undefined when it has none.
   * @param name matches `[A-Za-z0-9_-]+`.
   * @throws RefwardenError `RegistryUnauthorized`, with nothing of what the helper printed.
   */
  async get(name: string, server: string): Promise<Account | undefined> {
    const { kind, account } = await this.#ask(name, server);
    if (kind === 'notInstalled') {
      throw failed(name, server, 'is not on the PATH; install it, or put the account into auths');
    }
    return account;
  }

  /** As `get`, for a server that nothing says is kept there: a helper that is not installed knows nothing of it. */
  async find(name: string, server: string): Promise<Account | undefined> {
    return (await this.#ask(name, server)).account;
  }

  async #ask(name: string, server: string): Promise<Outcome> {
    const key = `${name}\n${server}`;
    const nowMs = this.#clock.nowMs();
    const known = this.#answers.get(key);
    if (known !== undefined && nowMs - known.askedAtMs < helperAnswerTtlMs) return await known.outcome;
    const outcome = run(name, server, this.#timeoutMs);
    const answer = { outcome, askedAtMs: nowMs };
    this.#answers.set(key, answer);
    // A failure is not kept: what the user mends counts at once.
    outcome.catch(() => {
      if (this.#answers.peek(key) === answer) this.#answers.delete(key);
    });
    return await outcome;
  }
}

async function run(name: string, server: string, timeoutMs: number): Promise<Outcome> {
  const asked = { args: ['get'], input: `${server}\n`, timeoutMs, maxBytes: maxHelperOutputBytes };
  const { error, stdout } = await runProgramOnce(`docker-credential-${name}`, asked);
  if (error === null) return parseAnswer(name, server, stdout);
  if (error.code === 'ENOENT') return { kind: 'notInstalled' };
  if (stdout.trim() === notFound) return { kind: 'notFound' };
  throw failed(name, server, `${reasonOf(error, asked)}; run it by hand to see why`);
}

function parseAnswer(name: string, server: string, stdout: string): Outcome {
  let json: Json = null;
  try {
    json = parseStrictJsonText(stdout, 'the answer');
  } catch {
    // Falls through: the text may hold a secret, so that nothing is said of it.
  }
  const { Username: user, Secret: secret } = isJsonObject(json) ? json : {};
  if (typeof user !== 'string' || typeof secret !== 'string') {
    throw failed(name, server, 'answered with something that is no account; run it by hand to see why');
  }
  if (user === '' && secret === '') return { kind: 'notFound' };
  const account =
    user === identityTokenUser ? { identityToken: secret } : { username: user, password: secret };
  return { kind: 'account', account };
}

/** What a helper prints is not shown: it may be a secret. */
function failed(name: string, server: string, why: string): RefwardenError {
  return new RefwardenError(
    'RegistryUnauthorized',
    `The credential helper docker-credential-${name}, asked for ${server}, ${why}.`,
  );
}
