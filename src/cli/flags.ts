import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { dayMs, defaultMaxExceptionMs, maxExceptionDays } from '../policy/exceptions.ts';
import { noMatchAnswers } from '../policy/snapshot.ts';
import type { NoMatch } from '../policy/snapshot.ts';
import type { PolicyOptions, RegistryOptions } from './commands.ts';

const maxSeconds = 3600;

/** What the environment of the process says. */
export interface FlagDefaults {
  readonly releaseNamespace: string;
  readonly dockerConfig?: string;
  readonly environment?: RegistryOptions['environment'];
}

/** How registries are asked: of every command that asks any. */
export interface RegistryFlags {
  readonly plainHttp: string[];
  readonly registries?: string;
  readonly dockerConfig?: string;
  readonly credentialProviders?: string;
  readonly credentialProviderDir?: string;
  readonly cacheDir?: string;
}

/** And by which policies: of every command that decides. */
export interface SourceFlags extends RegistryFlags {
  readonly trustDir?: string;
  readonly unmatched: NoMatch;
  readonly maxExceptionDays: number;
}

export function layoutOption(): Option {
  return new Option(
    '--layout <path>',
    'OCI image layout (directory or tar) that holds image and artifacts; no registry is asked',
  ).conflicts(['plainHttp', 'registries', 'dockerConfig', 'credentialProviders', 'cacheDir']);
}

export function withRegistryOptions(command: Command): Command {
  return command
    .option('--plain-http <host>', 'speak HTTP without TLS to this registry; may be given again', collect, [])
    .option('--registries <file>', 'settings of registries (YAML), see docs/registries.md')
    .option(
      '--docker-config <file>',
      'credentials of registries; default: config.json of DOCKER_CONFIG or ~/.docker',
    )
    .option(
      '--credential-providers <file>',
      "the kubelet's CredentialProviderConfig (YAML): programs of clouds that are asked for credentials",
    )
    .option('--credential-provider-dir <dir>', 'directory of these programs')
    .option(
      '--cache-dir <dir>',
      'directory that keeps manifests, artifacts and trusted roots of TUF mirrors across restarts',
    );
}

export function withSourceOptions(command: Command): Command {
  return withRegistryOptions(command)
    .option('--trust-dir <dir>', 'directory of the files that issuers name as trustedRoot.file')
    .addOption(
      new Option('--unmatched <answer>', 'what happens to an image that no policy matches')
        .choices(noMatchAnswers)
        .default('Admit'),
    )
    .option(
      '--max-exception-days <days>',
      'longest time that an exception counts after it was made, whatever it says',
      positiveNumber('days', maxExceptionDays),
      defaultMaxExceptionMs / dayMs,
    );
}

export function registryOptions(flags: RegistryFlags, defaults: FlagDefaults): RegistryOptions {
  const dockerConfig = flags.dockerConfig ?? defaults.dockerConfig;
  return {
    plainHttp: flags.plainHttp,
    ...(defaults.environment === undefined ? {} : { environment: defaults.environment }),
    ...(flags.registries === undefined ? {} : { registries: flags.registries }),
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
    ...(flags.credentialProviders === undefined ? {} : { credentialProviders: flags.credentialProviders }),
    ...(flags.credentialProviderDir === undefined
      ? {}
      : { credentialProviderDir: flags.credentialProviderDir }),
    ...(flags.cacheDir === undefined ? {} : { cacheDir: flags.cacheDir }),
  };
}

export function sourceOptions(flags: SourceFlags, defaults: FlagDefaults): RegistryOptions & PolicyOptions {
  return {
    ...registryOptions(flags, defaults),
    noMatch: flags.unmatched,
    maxExceptionMs: flags.maxExceptionDays * dayMs,
    ...(flags.trustDir === undefined ? {} : { trustDir: flags.trustDir }),
  };
}

export const outputOption = (): Option =>
  new Option('--output <form>', 'form of the answer').choices(['text', 'json']).default('text');

export const collect = (value: string, all: string[]): string[] => [...all, value];

function positiveNumber(unit: string, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0 || value > max)
      throw new InvalidArgumentError(`Give ${unit}, more than 0 and at most ${max}.`);
    return value;
  };
}

export const timeoutSeconds = positiveNumber('seconds', maxSeconds);

/** A DNS label (RFC 1123), as Kubernetes takes. */
export function namespaceName(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError('Give the name of a namespace: at most 63 of a-z, 0-9 and -.');
  }
  return text;
}
