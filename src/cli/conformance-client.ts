import { Option } from 'commander';
import type { Command } from 'commander';
import { exitCodes } from './commands.ts';
import type { Engine, Terminal } from './commands.ts';
import { runVerifyBundle } from './verify-bundle-command.ts';
import type { VerifyBundleOptions } from './verify-bundle-command.ts';

/**
 * The client of the public sigstore-conformance suite (docs/cli_protocol.md there), hidden from help: it is for those who
 * test Refwarden, not for those who use it.
 */
export function addConformanceClient(
  program: Command,
  engine: Engine,
  terminal: Terminal,
  end: (code: number) => void,
): void {
  const client = program.command('sigstore-conformance', { hidden: true });
  client
    .command('verify-bundle')
    .argument('<file-or-digest>', 'what the bundle is to be for')
    .requiredOption('--bundle <file>', 'Sigstore bundle')
    .option('--staging', "the staging instance's trusted root", false)
    .option('--certificate-identity <identity>', 'subject alternative name of the certificate')
    .option('--certificate-oidc-issuer <url>', 'OIDC issuer of the certificate')
    .addOption(
      new Option('--key <file>', 'public key, PEM').conflicts([
        'certificateIdentity',
        'certificateOidcIssuer',
      ]),
    )
    .option('--trusted-root <file>', 'trusted root; default: the public instance')
    .action(async (artifact: string, flags: VerifyBundleOptions) => {
      end(await runVerifyBundle(artifact, flags, engine, terminal));
    });
  client
    .command('sign-bundle')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      terminal.err('Refwarden verifies and signs nothing: run the suite with --skip-signing.\n');
      end(exitCodes.usage);
    });
}
