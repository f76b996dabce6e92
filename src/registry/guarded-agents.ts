import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { RefwardenError } from '../failures/failure.ts';
import { addressClasses, classifyAddress, isMoreLocal } from './address-class.ts';
import type { AddressClass } from './address-class.ts';
import type { RegistryLimits } from './limits.ts';

/** As `dns.lookup` with `all`: every address of a host name. */
export type ResolveHost = (
  hostname: string,
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

const resolveWithSystem: ResolveHost = (hostname, done) => {
  systemLookup(hostname, { all: true }, done);
};

/**
 * Connection pools, one for each reach: how local an address a connection may go to. The address is checked as
 * it is connected to, so that a name that resolves differently the second time gains nothing (threat 10).
 */
export class GuardedAgents {
  readonly #agents: ReadonlyMap<AddressClass, Agent>;
  /** The least local address that each origin was connected at. */
  readonly #seen: LRUCache<string, AddressClass>;

  constructor(limits: RegistryLimits, resolveHost: ResolveHost = resolveWithSystem) {
    this.#seen = new LRUCache({ max: limits.maxRemembered });
    this.#agents = new Map(addressClasses.map((reach) => [reach, this.#agent(reach, limits, resolveHost)]));
  }

  for(reach: AddressClass): Dispatcher {
    const agent = this.#agents.get(reach);
    if (agent === undefined) throw new RefwardenError('InternalError', `No connections of reach ${reach}.`);
    return agent;
  }

  /** How local an origin was seen to be; `public` when it was never connected to. */
  seenAt(url: URL): AddressClass {
    return this.#seen.get(url.host) ?? 'public';
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #agent(reach: AddressClass, limits: RegistryLimits, resolveHost: ResolveHost): Agent {
    const connect = buildConnector({
      timeout: limits.connectTimeoutMs,
      lookup: guardedLookup(reach, resolveHost),
      allowH2: false,
    });
    return new Agent({
      connections: limits.maxConcurrentPerHost,
      pipelining: 1, // one request at a time on a connection; 0 would close it after each
      headersTimeout: limits.requestTimeoutMs,
      bodyTimeout: limits.requestTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connect: (options, callback) => {
        // A lookup is not called for literal addresses.
        const literal = options.hostname.replace(/^\[|\]$/g, '');
        if (isIP(literal) !== 0 && isMoreLocal(classifyAddress(literal), reach)) {
          callback(refused(literal), null);
          return;
        }
        connect(options, (...[error, socket]) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          this.#remember(options, classifyAddress(socket.remoteAddress ?? ''));
          callback(null, socket);
        });
      },
    });
  }

  #remember(options: buildConnector.Options, address: AddressClass): void {
    const host = options.host ?? options.hostname;
    const before = this.#seen.get(host);
    if (before === undefined || isMoreLocal(before, address)) this.#seen.set(host, address);
  }
}

/** Refuses a name when any of its addresses is out of reach. */
function guardedLookup(reach: AddressClass, resolveHost: ResolveHost): LookupFunction {
  return (hostname, options, callback) => {
    resolveHost(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const [first] = addresses;
      if (
        first === undefined ||
        addresses.some(({ address }) => isMoreLocal(classifyAddress(address), reach))
      ) {
        callback(refused(hostname), []);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(host: string): RefwardenError {
  return new RefwardenError(
    'RegistryRefused',
    `${host} is not asked: its address is local to the cluster or the machine, and it is not allowed by name.`,
  );
}
