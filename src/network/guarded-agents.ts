import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { RefwardenError } from '../failures/failure.ts';
import { classifyAddress, isMoreLocal } from './address-class.ts';
import type { AddressClass } from './address-class.ts';
import { direct } from './connection.ts';
import type { Connection } from './connection.ts';
import { resolveWithSystem } from './host-lookups.ts';
import type { ResolveHost } from './host-lookups.ts';
import { tunnelConnector } from './tunnel-connector.ts';

/** What connections may cost. */
export interface AgentLimits {
  readonly connectTimeoutMs: number;
  /** One request, its body included, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Connections open to one host. */
  readonly maxConcurrentPerHost: number;
  /** Largest header block of an answer, bytes. */
  readonly maxHeaderBytes: number;
  /** Hosts of which it is remembered how local they are. */
  readonly maxRemembered: number;
}

/**
 * Connection pools, one for each reach (how local an address a connection may go to) and each {@link Connection}. The
 * address is checked as it is connected to, so that a name that resolves differently the second time gains nothing
 * (threat 10). Behind a proxy only what a URL itself says is seen: the proxy resolves names, and connects.
 */
export class GuardedAgents {
  readonly #agents = new Map<Connection, Map<AddressClass, Agent>>();
  readonly #limits: AgentLimits;
  readonly #resolveHost: ResolveHost;
  /** The least local address that each origin was connected at. */
  readonly #seen: LRUCache<string, AddressClass>;

  constructor(limits: AgentLimits, resolveHost: ResolveHost = resolveWithSystem) {
    this.#limits = limits;
    this.#resolveHost = resolveHost;
    this.#seen = new LRUCache({ max: limits.maxRemembered });
  }

  for(reach: AddressClass, connection: Connection = direct): Dispatcher {
    const agents = this.#agents.get(connection) ?? new Map<AddressClass, Agent>();
    this.#agents.set(connection, agents);
    const agent = agents.get(reach) ?? this.#agent(reach, connection);
    agents.set(reach, agent);
    return agent;
  }

  /** How local an origin was seen to be; `public` when it was never connected to. */
  seenAt(url: URL): AddressClass {
    return this.#seen.get(url.host) ?? 'public';
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()].flatMap((byReach) => [...byReach.values()]);
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #agent(reach: AddressClass, connection: Connection): Agent {
    const limits = this.#limits;
    const connect = this.#connector(reach, connection);
    return new Agent({
      connections: limits.maxConcurrentPerHost,
      pipelining: 1, // one request at a time on a connection; 0 would close it after each
      headersTimeout: limits.requestTimeoutMs,
      bodyTimeout: limits.requestTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connect: (options, callback) => {
        // A lookup is not called for literal addresses, nor for what a proxy resolves.
        const host = options.hostname.replace(/^\[|\]$/g, '');
        if (isMoreLocal(classifyHost(host), reach)) callback(refused(host), null);
        else connect(options, callback);
      },
    });
  }

  #connector(reach: AddressClass, { proxy, ...tls }: Connection): buildConnector.connector {
    const options = { ...tls, timeout: this.#limits.connectTimeoutMs, allowH2: false };
    if (proxy !== undefined) return tunnelConnector(proxy, buildConnector(options), options.timeout);
    const connect = buildConnector({ ...options, lookup: guardedLookup(reach, this.#resolveHost) });
    return (target, callback) => {
      connect(target, (...[error, socket]) => {
        if (error !== null) {
          callback(error, null);
          return;
        }
        this.#remember(target, classifyAddress(socket.remoteAddress ?? ''));
        callback(null, socket);
      });
    };
  }

  #remember(options: buildConnector.Options, address: AddressClass): void {
    const host = options.host ?? options.hostname;
    const before = this.#seen.get(host);
    if (before === undefined || isMoreLocal(before, address)) this.#seen.set(host, address);
  }
}

/** How local a host is by its name alone; what only a look-up tells is `public` here. */
function classifyHost(host: string): AddressClass {
  if (/(?:^|\.)localhost\.?$/.test(host)) return 'loopback'; // RFC 6761
  return isIP(host) === 0 ? 'public' : classifyAddress(host);
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
