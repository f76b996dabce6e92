import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { aborted } from '../admission/until-aborted.ts';
import { customResourceDefinitions } from '../policy/crd/custom-resource-definitions.ts';
import { renderManifest } from '../policy/crd/render-manifest.ts';
import { defaultMaxExceptionMs } from '../policy/exceptions.ts';
import { noMatchAnswers } from '../policy/snapshot.ts';
import type { NoMatch } from '../policy/snapshot.ts';
import { runCheck } from './check-command.ts';
import { exitCodes, treeOutputs } from './commands.ts';
import type {
  CheckOptions,
  DemoOptions,
  DemoRegistryOptions,
  Engine,
  PolicyOptions,
  RegistryOptions,
  RemoveWebhooksOptions,
  ServedCertificate,
  ServeOptions,
  Terminal,
  TreeOptions,
  WebhooksOptions,
} from './commands.ts';
import { runDemo } from './demo-command.ts';
import { runDemoRegistry } from './demo-registry-command.ts';
import { addConformanceClient } from './conformance-client.ts';
import { runServe } from './serve-command.ts';
import { runTree } from './tree-command.ts';
import { runRemoveWebhooks, runWebhooks } from './webhooks-command.ts';

const dayMs = 86_400_000;
const maxExceptionDays = 3650;
const maxSeconds = 3600;

export interface ProgramOptions {
  readonly version: string;
  readonly engine: Engine;
  readonly terminal: Terminal;
  /** Defaults that come from the environment of the process. */
  readonly defaults: {
    readonly releaseNamespace: string;
    readonly dockerConfig?: string;
    readonly environment?: RegistryOptions['environment'];
  };
  /** Aborted when the process is asked to end. */
  readonly interrupted: AbortSignal;
}

/** Runs the command line and returns the exit code. Never throws. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number> {
  let exitCode: number = exitCodes.admitted;
  const program = buildProgram(options, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already written what is wrong; --help and --version end here too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    throw error;
  }
}

function buildProgram(
  { version, engine, terminal, defaults, interrupted }: ProgramOptions,
  end: (code: number) => void,
): Command {
  const program = new Command('refwarden')
    .description('Admits images only with the signatures, SBOMs and attestations that policy requires.')
    .version(version)
    // Options of `demo` are not those of `demo registry`.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
    .configureOutput({
      writeOut: (text) => {
        terminal.out(text);
      },
      writeErr: (text) => {
        terminal.err(text);
      },
    });

  withSourceOptions(program.command('check'))
    .description('decide about images by the policies of a directory, without a cluster')
    .argument('<image...>', 'images as a Pod would name them')
    .requiredOption('--policies <dir>', 'directory with policies and trusted issuers (YAML or JSON)')
    .addOption(layoutOption())
    .option('--namespace <name>', 'namespace that the Pod would be in', 'default')
    .addOption(outputOption())
    .option('--explain', 'show everything that was looked at and why it did not count', false)
    .option('--timeout <seconds>', 'time for the whole check', positiveNumber('seconds', maxSeconds), 60)
    .addHelpText(
      'after',
      '\nExit codes: 0 all admitted, 1 denied, 2 usage or configuration error, 3 inconclusive.',
    )
    .action(async (images: string[], flags: CheckFlags) => {
      end(
        await runCheck(
          images,
          { ...sourceOptions(flags, defaults), ...checkOptions(flags) },
          engine,
          terminal,
        ),
      );
    });

  withRegistryOptions(program.command('tree'))
    .description(
      'show what a registry holds around an image: indexes, children, and what refers to them; unverified',
    )
    .argument('<image>', 'image as a Pod would name it')
    .addOption(layoutOption())
    .addOption(new Option('--output <form>', 'form of the answer').choices(treeOutputs).default('text'))
    .option('--timeout <seconds>', 'time for the whole tree', positiveNumber('seconds', maxSeconds), 60)
    .addHelpText(
      'after',
      '\nExit codes: 0 all is shown, 2 usage or configuration error, 3 inconclusive: there may be more.',
    )
    .action(async (image: string, flags: TreeFlags) => {
      const { output, timeout, layout } = flags;
      const options = {
        ...registryOptions(flags, defaults),
        ...(layout === undefined ? {} : { layout }),
        ...{ output, timeoutSeconds: timeout },
      };
      end(await runTree(image, options, engine, terminal));
    });

  withSourceOptions(program.command('serve'))
    .description('serve the admission webhook')
    .option('--policies <dir>', 'directory with policies, watched; without it they are read from the cluster')
    .addOption(
      new Option(
        '--kubeconfig <file>',
        'cluster to read policies from; default: KUBECONFIG, ~/.kube/config, in-cluster',
      ).conflicts('policies'),
    )
    .option(
      '--release-namespace <name>',
      'namespace whose ConfigMaps hold trust material',
      defaults.releaseNamespace,
    )
    .option('--listen <address>', 'host:port of the webhook (HTTPS)', '0.0.0.0:8443')
    .option(
      '--operations-listen <address>',
      'host:port of /livez, /readyz and /metrics (HTTP)',
      '0.0.0.0:8080',
    )
    .option('--tls-cert <file>', 'serving certificate, PEM, with its chain; reloaded when it changes')
    .option('--tls-key <file>', 'its private key, PEM')
    .addOption(
      new Option(
        '--certificate-secret <name>',
        'Secret of the release namespace in which Refwarden makes and renews the certificate itself; needs --webhooks',
      ).conflicts(['tlsCert', 'tlsKey', 'webhookCa']),
    )
    .addOption(
      new Option(
        '--webhooks <file>',
        'settings of the webhooks (YAML): registers them with the API server once ready, and keeps them there',
      ).conflicts('policies'),
    )
    .option(
      '--webhook-ca <file>',
      'authority of --tls-cert, PEM, that the API server is told of; with --webhooks',
    )
    .option('--client-ca <file>', 'accept only clients with a certificate of this authority')
    .option(
      '--no-pull-secrets',
      'read no pull secrets of workloads: private images are read with --docker-config alone',
    )
    .option(
      '--no-pinning',
      'leave tags in Pods: a node may then pull another image than the one that was judged',
    )
    .addOption(
      new Option('--log-level <level>', 'least severe level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(async (flags: ServeFlags, command: Command) => {
      const certificate = servedCertificate(flags);
      if (typeof certificate === 'string') command.error(`error: ${certificate}`);
      end(
        await runServe(
          { ...sourceOptions(flags, defaults), ...serveOptions(flags), certificate },
          engine,
          terminal,
          interrupted,
        ),
      );
    });

  const demo = program
    .command('demo')
    .description('run registries with sample images and the webhook, and show its answers')
    .option('--once', 'stop after the answers; exit 0 only if all are as expected', false)
    .addOption(outputOption())
    .action(async (flags: DemoOptions) => {
      end(await runDemo(flags, engine, terminal, aborted(interrupted)));
    });

  demo
    .command('registry')
    .description('run the embedded registry alone: in memory, plain HTTP, open to everyone')
    .option('--listen <address>', 'host:port', '127.0.0.1:5600')
    .option(
      '--mechanisms <list>',
      'what it offers, comma-separated: References, Referrers, Oras; FallbackTag and CosignTag are tags and always work',
      'Referrers',
    )
    .option('--layout <dir=repository>', 'OCI image layout to start with; may be given again', collect, [])
    .action(async (flags: DemoRegistryFlags) => {
      const { layout: layouts, ...options } = flags;
      end(await runDemoRegistry({ ...options, layouts }, engine, terminal, aborted(interrupted)));
    });

  addConformanceClient(program, engine, terminal, end);

  const webhooks = program
    .command('webhooks')
    .description('print the webhook configurations, for kubectl apply -f -')
    .option('--ca <file>', 'certificate of the authority that signed the serving certificate, PEM')
    .option('--settings <file>', 'settings of the webhooks (YAML), see docs/cluster.md')
    .option('--release-namespace <name>', 'namespace of Refwarden itself', defaults.releaseNamespace)
    .option('--no-pinning', 'without the one that pins Pods; serve must be started with --no-pinning too')
    .action(async ({ ca, ...flags }: Omit<WebhooksOptions, 'ca'> & { ca?: string }, command: Command) => {
      // Not required by commander, which would ask it of `webhooks remove` too.
      if (ca === undefined) return command.error("error: required option '--ca <file>' not specified");
      end(await runWebhooks({ ca, ...flags }, engine, terminal));
    });

  webhooks
    .command('remove')
    .description('take the webhooks away from the API server, before Refwarden itself is removed')
    .option('--settings <file>', 'settings of the webhooks (YAML), see docs/cluster.md')
    .option('--kubeconfig <file>', 'the cluster; default: KUBECONFIG, ~/.kube/config, in-cluster')
    .action(async (flags: RemoveWebhooksOptions) => {
      end(await runRemoveWebhooks(flags, engine, terminal, interrupted));
    });

  program
    .command('crds')
    .description('print the CustomResourceDefinitions, for kubectl apply -f -')
    .action(() => {
      terminal.out(customResourceDefinitions().map(renderManifest).join(''));
    });
  return program;
}

interface RegistryFlags {
  readonly plainHttp: string[];
  readonly registries?: string;
  readonly dockerConfig?: string;
  readonly credentialProviders?: string;
  readonly credentialProviderDir?: string;
  readonly cacheDir?: string;
}
interface SourceFlags extends RegistryFlags {
  readonly trustDir?: string;
  readonly unmatched: NoMatch;
  readonly maxExceptionDays: number;
}
type CheckFlags = SourceFlags &
  Pick<CheckOptions, 'policies' | 'layout' | 'namespace' | 'output' | 'explain'> & {
    readonly timeout: number;
  };
type TreeFlags = RegistryFlags & Pick<TreeOptions, 'output' | 'layout'> & { readonly timeout: number };
type DemoRegistryFlags = Omit<DemoRegistryOptions, 'layouts'> & { readonly layout: string[] };
type ServeFlags = SourceFlags &
  Omit<ServeOptions, 'plainHttp' | 'noMatch' | 'certificate'> &
  CertificateFlags;
interface CertificateFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly certificateSecret?: string;
  readonly webhooks?: string;
  readonly webhookCa?: string;
}

function layoutOption(): Option {
  return new Option(
    '--layout <path>',
    'OCI image layout (directory or tar) that holds image and artifacts; no registry is asked',
  ).conflicts(['plainHttp', 'registries', 'dockerConfig', 'credentialProviders', 'cacheDir']);
}

function withRegistryOptions(command: Command): Command {
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

function withSourceOptions(command: Command): Command {
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

function registryOptions(flags: RegistryFlags, defaults: ProgramOptions['defaults']): RegistryOptions {
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

function sourceOptions(
  flags: SourceFlags,
  defaults: ProgramOptions['defaults'],
): RegistryOptions & PolicyOptions {
  return {
    ...registryOptions(flags, defaults),
    noMatch: flags.unmatched,
    maxExceptionMs: flags.maxExceptionDays * dayMs,
    ...(flags.trustDir === undefined ? {} : { trustDir: flags.trustDir }),
  };
}

function checkOptions({
  policies,
  layout,
  namespace,
  output,
  explain,
  timeout,
}: CheckFlags): Omit<CheckOptions, 'plainHttp' | 'noMatch'> {
  return {
    ...{ policies, namespace, output, explain },
    timeoutSeconds: timeout,
    ...(layout === undefined ? {} : { layout }),
  };
}

function serveOptions({
  policies,
  kubeconfig,
  releaseNamespace,
  listen,
  operationsListen,
  webhooks,
  clientCa,
  pinning,
  pullSecrets,
  logLevel,
}: ServeFlags): Omit<ServeOptions, 'plainHttp' | 'noMatch' | 'certificate'> {
  return {
    releaseNamespace,
    listen,
    operationsListen,
    pinning,
    // Without a cluster there is none to read from.
    pullSecrets: pullSecrets && policies === undefined,
    logLevel,
    ...(policies === undefined ? {} : { policies }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(clientCa === undefined ? {} : { clientCa }),
  };
}

/** @returns a sentence when the flags do not go together. */
function servedCertificate(flags: CertificateFlags): ServedCertificate | string {
  const { tlsCert: certFile, tlsKey: keyFile, certificateSecret, webhooks, webhookCa: caFile } = flags;
  if (certificateSecret !== undefined) {
    return webhooks === undefined
      ? "option '--certificate-secret' needs '--webhooks', whose settings say what the certificate is for"
      : { kind: 'Secret', name: certificateSecret };
  }
  if (certFile === undefined || keyFile === undefined) {
    return "give '--tls-cert' and '--tls-key', or '--certificate-secret' and '--webhooks'";
  }
  if ((webhooks === undefined) !== (caFile === undefined)) {
    return "with '--tls-cert', options '--webhooks' and '--webhook-ca' go together";
  }
  return { kind: 'Files', certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) };
}

const outputOption = (): Option =>
  new Option('--output <form>', 'form of the answer').choices(['text', 'json']).default('text');

const collect = (value: string, all: string[]): string[] => [...all, value];

const positiveNumber =
  (unit: string, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0 || value > max)
      throw new InvalidArgumentError(`Give ${unit}, more than 0 and at most ${max}.`);
    return value;
  };
