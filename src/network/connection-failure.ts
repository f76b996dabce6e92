import { RefwardenError } from '../failures/failure.ts';

const timeouts = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);
const untrusted =
  ' No trusted authority vouches for its certificate: name its own as caFile of the host, see docs/registries.md.';
const withoutTls = ' It does not answer in TLS: if it speaks plain HTTP, say plainHttp for the host.';
const unresolved = ' The name of the host does not resolve: check its spelling, and DNS.';
/** What is to be done, by Node's codes (of TLS: OpenSSL's). */
const remedies = new Map([
  ['UNABLE_TO_GET_ISSUER_CERT', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['ERR_TLS_CERT_ALTNAME_INVALID', ' Its certificate is for another name.'],
  ['CERT_HAS_EXPIRED', ' Its certificate has expired.'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', withoutTls],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', withoutTls],
  [
    'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    ' It takes no TLS from here: it may ask for a clientCertificate.',
  ],
  ['ENOTFOUND', unresolved],
  ['EAI_AGAIN', unresolved],
  ['ECONNREFUSED', ' Nobody listens there: check host and port.'],
]);
const resets = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * Names what went wrong on a connection.
 * @param isAborted whether our own time for the exchange had ended.
 */
export function connectionFailure(thrown: unknown, what: string, isAborted: boolean): RefwardenError {
  const own = ownFailure(thrown);
  if (own !== undefined) return own;
  const code = errorCode(thrown);
  if (isAborted || timeouts.has(code)) {
    return new RefwardenError('RegistryTimeout', `${what}: no answer in time.`, thrown);
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RefwardenError('RegistryProtocolError', `${what}: the answer is not valid HTTP.`, thrown);
  }
  return new RefwardenError(
    'RegistryUnavailable',
    `${what}: the connection failed (${code}).${remedies.get(code) ?? ''}`,
    thrown,
  );
}

/** Whether the connection broke under the request, so that the same request may well succeed. */
export function isReset(thrown: unknown): boolean {
  return (
    thrown instanceof RefwardenError &&
    thrown.code === 'RegistryUnavailable' &&
    resets.has(errorCode(thrown.cause))
  );
}

function ownFailure(thrown: unknown): RefwardenError | undefined {
  if (thrown instanceof RefwardenError) return thrown;
  return thrown instanceof Error && thrown.cause instanceof RefwardenError ? thrown.cause : undefined;
}

/** A code of Node's or undici's tables; free text of a peer never gets into a message. */
function errorCode(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_/]{1,60}$/.test(code) ? code : 'unknown error';
}
