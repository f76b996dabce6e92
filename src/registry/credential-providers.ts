import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { anonymousScope } from '../admission/ports.ts';
import type { Account, QueuedCaller, Clock, Credentials } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import { parseStrictJsonText } from '../oci/strict-json.ts';
import { parseStrictYaml } from '../oci/strict-yaml.ts';
import { describeIssues } from '../policy/model/describe-issues.ts';
import { readBounded } from './bounded-file.ts';
import { compareCredentialKeys, matchesCredentialKey, parseCredentialKey } from './credential-key.ts';
import type { CredentialKey } from './credential-key.ts';
import { HostGate } from './host-gate.ts';
import { parseDuration } from './go-duration.ts';
import { reasonOf, runProgramOnce } from './run-program.ts';

const maxConfigBytes = 256 * 1024;
/** Time that one run of a provider may take, milliseconds: it asks a cloud. */
const runTimeoutMs = 10_000;
const maxAnswerBytes = 256 * 1024;
/** Runs under way, of all providers, and callers that wait for one: each is a process. */
const maxRunning = 8;
const maxWaiting = 1000;
/** Answers kept, and runs under way. */
const maxAnswers = 1000;
/** Most keys of one answer. */
const maxAuthKeys = 1000;
/** An answer is believed no longer than this, milliseconds, whatever it says: tokens of clouds live for half a day at most. */
const maxCacheMs = 12 * 3_600_000;
/** It is asked for anew so much before its end, milliseconds. */
const earlyMs = 60_000;
/** And for so long also by one that is not to be kept: a decision makes several requests, milliseconds. */
const minCacheMs = 5000;

const providerVersion = /^credentialprovider\.kubelet\.k8s\.io\/v1(?:beta1|alpha1)?$/;
const duration = z
  .string()
  .transform(
    (text, context) => parseDuration(text) ?? (context.addIssue('is no duration as 12h or 5m0s'), z.NEVER),
  );

/** `CredentialProviderConfig` of the kubelet (kubelet.config.k8s.io/v1), as far as it counts here. */
const providerConfig = z.object({
  apiVersion: z
    .string()
    .regex(/^kubelet\.config\.k8s\.io\/v1(?:beta1|alpha1)?$/, 'must be kubelet.config.k8s.io/v1'),
  kind: z.literal('CredentialProviderConfig'),
  providers: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be the name of a file'),
        matchImages: z.array(z.string().min(1).max(512)).min(1).max(100),
        defaultCacheDuration: duration.optional(),
        apiVersion: z.string().regex(providerVersion, 'must be credentialprovider.kubelet.k8s.io/v1'),
        args: z.array(z.string()).max(100).optional(),
        env: z
          .array(z.object({ name: z.string().min(1), value: z.string() }))
          .max(100)
          .optional(),
        tokenAttributes: z
          .undefined('is not supported: Refwarden asks for no token of the service account of a Pod')
          .optional(),
      }),
    )
    .min(1)
    .max(50),
});

/** CredentialProviderResponse (credentialprovider.kubelet.k8s.io/v1). */
const providerResponse = z.object({
  apiVersion: z.string().regex(providerVersion),
  kind: z.literal('CredentialProviderResponse'),
  cacheKeyType: z.enum(['Image', 'Registry', 'Global']),
  cacheDuration: duration.nullish(),
  auth: z.record(z.string(), z.object({ username: z.string(), password: z.string() })).nullish(),
});

type Provider = z.output<typeof providerConfig>['providers'][number] & {
  readonly keys: readonly CredentialKey[];
  /** Of its configuration; holds no secret. */
  readonly scope: string;
};

interface Answer {
  readonly accounts: readonly { readonly key: CredentialKey; readonly account: Account }[];
  readonly cacheKeyType: z.output<typeof providerResponse>['cacheKeyType'];
  readonly cacheMs: number;
}

interface Kept {
  readonly answer: Promise<Answer>;
  untilMs: number;
}

/** The command line asks for itself. */
const nobodyElse: QueuedCaller = {
  tenant: { name: 'command line', share: 1 },
  signal: new AbortController().signal,
  setQueued: () => undefined,
};

/**
 * The kubelet's credential provider plugins, as clouds ship them: programs in one directory, asked for the images that
 * their configuration names ("Configure a kubelet image credential provider").
 */
export class CredentialProviders implements Credentials {
  readonly #providers: readonly Provider[];
  readonly #directory: string;
  readonly #clock: Clock;
  /** By provider and what the answer is for. */
  readonly #answers = new LRUCache<string, Kept>({ max: maxAnswers });
  readonly #gate: HostGate;

  private constructor(providers: readonly Provider[], directory: string, clock: Clock) {
    this.#providers = providers;
    this.#directory = directory;
    this.#clock = clock;
    this.#gate = new HostGate(maxRunning, maxWaiting, clock);
  }

  /**
   * @param path of a CredentialProviderConfig, YAML.
   * @param directory of the programs.
   * @throws RefwardenError `ConfigurationInvalid`; names the field.
   */
  static async load(path: string, directory: string, clock: Clock): Promise<CredentialProviders> {
    const what = `The credential providers ${path}`;
    const text = (await readBounded(path, maxConfigBytes, what)).toString('utf8');
    const parsed = providerConfig.safeParse(parseStrictYaml(text, what));
    if (!parsed.success) {
      throw new RefwardenError('ConfigurationInvalid', `${what}: ${describeIssues(parsed.error.issues)}.`);
    }
    const providers = parsed.data.providers.map((provider) => ({
      ...provider,
      keys: provider.matchImages.map(parseCredentialKey),
      scope: `provider:${createHash('sha256').update(JSON.stringify(provider)).digest('hex')}`,
    }));
    return new CredentialProviders(providers, directory, clock);
  }

  /** One of the whole installation: what it read for one workload it may read for all. */
  scope(registry: string, repository: string): string {
    const provider = this.#find(registry, repository);
    return provider === undefined ? anonymousScope : `${provider.scope} ${registry}/${repository}`;
  }

  /** @throws RefwardenError `RegistryUnauthorized`, with nothing of what the provider printed. */
  async account(
    registry: string,
    repository: string,
    caller: QueuedCaller = nobodyElse,
  ): Promise<Account | undefined> {
    const provider = this.#find(registry, repository);
    if (provider === undefined) return undefined;
    const { accounts } = await this.#ask(provider, { registry, repository }, caller);
    return accounts.find(({ key }) => matchesCredentialKey(key, { registry, repository }))?.account;
  }

  #find(registry: string, repository: string): Provider | undefined {
    return this.#providers.find(({ keys }) =>
      keys.some((key) => matchesCredentialKey(key, { registry, repository })),
    );
  }

  async #ask(provider: Provider, target: Repository, caller: QueuedCaller): Promise<Answer> {
    const { registry, repository } = target;
    const keys = [
      `${provider.scope} Image ${registry}/${repository}`,
      `${provider.scope} Registry ${registry}`,
      `${provider.scope} Global`,
    ] as const;
    for (const key of keys) {
      const kept = this.#answers.get(key);
      if (kept !== undefined && this.#clock.nowMs() < kept.untilMs) return await kept.answer;
    }
    const [ofImage] = keys;
    const kept: Kept = { answer: this.#runInTurn(provider, target, caller), untilMs: Infinity };
    this.#answers.set(ofImage, kept);
    try {
      const answer = await kept.answer;
      kept.untilMs = this.#clock.nowMs() + answer.cacheMs;
      const index = ['Image', 'Registry', 'Global'].indexOf(answer.cacheKeyType);
      this.#answers.set(keys[index] ?? ofImage, kept);
      return answer;
    } catch (error) {
      // A failure is not kept: what is mended counts at once.
      if (this.#answers.peek(ofImage) === kept) this.#answers.delete(ofImage);
      throw error;
    }
  }

  /** No tenant's images keep all processes busy. */
  async #runInTurn(provider: Provider, target: Repository, caller: QueuedCaller): Promise<Answer> {
    const leave = await this.#gate.enter('providers', caller);
    try {
      return await this.#run(provider, target);
    } finally {
      leave();
    }
  }

  async #run(provider: Provider, { registry, repository }: Repository): Promise<Answer> {
    const { name, apiVersion, args = [], env = [], defaultCacheDuration } = provider;
    const image = `${registry}/${repository}`;
    const run = {
      args,
      input: JSON.stringify({ apiVersion, kind: 'CredentialProviderRequest', image }),
      timeoutMs: runTimeoutMs,
      maxBytes: maxAnswerBytes,
      env: Object.fromEntries(env.map((variable) => [variable.name, variable.value])),
    };
    const { error, stdout } = await runProgramOnce(join(this.#directory, name), run);
    const failed = (why: string): RefwardenError =>
      new RefwardenError(
        'RegistryUnauthorized',
        `The credential provider ${name}, asked for ${image}, ${why}.`,
      );
    if (error !== null) throw failed(reasonOf(error, run));
    const response = parseResponse(stdout);
    if (response === undefined) throw failed('answered with something that is no CredentialProviderResponse');
    const auth = Object.entries(response.auth ?? {});
    if (auth.length > maxAuthKeys) throw failed(`answered with more than ${maxAuthKeys} keys`);
    return {
      accounts: auth
        .map(([key, account]) => ({ key: parseCredentialKey(key), account }))
        .sort((one, other) => compareCredentialKeys(one.key, other.key)),
      cacheKeyType: response.cacheKeyType,
      cacheMs: cacheTime(response.cacheDuration ?? defaultCacheDuration ?? 0),
    };
  }
}

const cacheTime = (statedMs: number): number =>
  Math.min(Math.max(statedMs - earlyMs, minCacheMs), maxCacheMs);

/** Undefined for what is none: the text may hold a secret, so that nothing is said of it. */
function parseResponse(text: string): z.output<typeof providerResponse> | undefined {
  try {
    return providerResponse.safeParse(parseStrictJsonText(text, 'the answer')).data;
  } catch {
    return undefined;
  }
}
