import { RefwardenError } from '../failures/failure.ts';

/** `0.0.0.0:8443`, `[::]:8443`. */
export function parseListenAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `${JSON.stringify(text)} is no address: write host:port.`,
    );
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
