import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { RefwardenError } from '../failures/failure.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is taken by another process',
  EADDRNOTAVAIL: 'it is no address of this machine',
  EACCES: 'this user may not use it',
  ENOTFOUND: 'the host name does not resolve',
};

/** @throws RefwardenError `ConfigurationInvalid` when the address cannot be bound. */
export async function listen(
  app: Pick<FastifyInstance, 'listen'> & { readonly server: { address(): AddressInfo | string | null } },
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number }> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error';
    throw new RefwardenError(
      'ConfigurationInvalid',
      `Cannot listen on ${host} port ${port}: ${reasons[code] ?? code}.`,
      cause,
    );
  }
  return { port: (app.server.address() as AddressInfo).port };
}
