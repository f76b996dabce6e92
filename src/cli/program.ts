import { Command, CommanderError, Option } from 'commander';
import { aborted } from '../admission/until-aborted.ts';
import { customResourceDefinitions } from '../policy/crd/custom-resource-definitions.ts';
import { renderManifest } from '../policy/crd/render-manifest.ts';
import { runCheck } from './check-command.ts';
import { exitCodes, treeOutputs } from './commands.ts';
import type {
  CheckOptions,
  DemoOptions,
  DemoRegistryOptions,
  Engine,
  RemoveWebhooksOptions,
  Terminal,
  TreeOptions,
  WebhooksOptions,
} from './commands.ts';
import { runDemo } from './demo-command.ts';
import { runDemoRegistry } from './demo-registry-command.ts';
import { addConformanceClient } from './conformance-client.ts';
import {
  collect,
  layoutOption,
  namespaceName,
  outputOption,
  registryOptions,
  timeoutSeconds,
  sourceOptions,
  withRegistryOptions,
  withSourceOptions,
} from './flags.ts';
import type { FlagDefaults, RegistryFlags, SourceFlags } from './flags.ts';
import { runServe } from './serve-command.ts';
import { servedCertificate, serveOptions, withServeOptions } from './serve-flags.ts';
import type { ServeFlags } from './serve-flags.ts';
import { runTree } from './tree-command.ts';
import { runRemoveWebhooks, runWebhooks } from './webhooks-command.ts';

export interface ProgramOptions {
  readonly version: string;
  readonly engine: Engine;
  readonly terminal: Terminal;
  /** Defaults that come from the environment of the process. */
  readonly defaults: FlagDefaults;
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
    .option('--policies <dir>', 'directory with policies and trusted issuers (YAML or JSON); required')
    .addOption(layoutOption())
    .option('--namespace <name>', 'namespace that the Pod would be in', namespaceName, 'default')
    .addOption(outputOption())
    .option('--explain', 'show everything that was looked at and why it did not count', false)
    .option('--timeout <seconds>', 'time for the whole check', timeoutSeconds, 60)
    .addHelpText(
      'after',
      '\nExit codes: 0 all admitted, 1 denied, 2 usage or configuration error, 3 inconclusive.',
    )
    .action(async (images: string[], { policies, ...flags }: CheckFlags, command: Command) => {
      if (policies === undefined) return lacks(command, '--policies <dir>');
      end(
        await runCheck(
          images,
          { ...sourceOptions(flags, defaults), ...checkOptions(flags), policies },
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
    .option('--timeout <seconds>', 'time for the whole tree', timeoutSeconds, 60)
    .addHelpText(
      'after',
      '\nExit codes: 0 all is shown, 2 usage or configuration error, 3 inconclusive: there may be more.',
    )
    .action(async (image: string, flags: TreeFlags) => {
      const { output, timeout, layout } = flags;
      const options = {
        ...registryOptions(flags, defaults),
        ...(layout === undefined ? {} : { layout }),
        output,
        timeoutSeconds: timeout,
      };
      end(await runTree(image, options, engine, terminal));
    });

  withServeOptions(program.command('serve'), defaults.releaseNamespace)
    .description('serve the admission webhook')
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
    .option('--ca <file>', 'certificate of the authority that signed the serving certificate, PEM; required')
    .option('--settings <file>', 'settings of the webhooks (YAML), see docs/cluster.md')
    .option('--release-namespace <name>', 'namespace of Refwarden itself', defaults.releaseNamespace)
    .option('--no-pinning', 'without the one that pins Pods; serve must be started with --no-pinning too')
    .action(async ({ ca, ...flags }: Omit<WebhooksOptions, 'ca'> & { ca?: string }, command: Command) => {
      if (ca === undefined) return lacks(command, '--ca <file>');
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

/** Not left to commander, which would see it before a misspelt option, and ask it of subcommands too. */
const lacks = (command: Command, option: string): never =>
  command.error(`error: required option '${option}' not specified`);

type CheckFlags = SourceFlags &
  Pick<CheckOptions, 'layout' | 'namespace' | 'output' | 'explain'> & {
    readonly policies?: string;
    readonly timeout: number;
  };
type TreeFlags = RegistryFlags & Pick<TreeOptions, 'output' | 'layout'> & { readonly timeout: number };
type DemoRegistryFlags = Omit<DemoRegistryOptions, 'layouts'> & { readonly layout: string[] };

function checkOptions({
  layout,
  namespace,
  output,
  explain,
  timeout,
}: Omit<CheckFlags, 'policies'>): Omit<CheckOptions, 'plainHttp' | 'noMatch' | 'policies'> {
  return {
    namespace,
    output,
    explain,
    timeoutSeconds: timeout,
    ...(layout === undefined ? {} : { layout }),
  };
}
