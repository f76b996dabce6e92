import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const day = 86_400_000;
/** The time at which certificates of the tests are made; they count from a day before it. */
export const signedAtMs = Date.UTC(2030, 0, 1);

/** Key pairs by name; each is made once, since RSA takes long. */
export type KeyName =
  'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'RSA 1024' | 'RSA 2048' | 'RSA 3072' | 'Ed25519';
interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const made = new Map<string, Keys>();

function makeKeys(name: KeyName): Keys {
  const [kind = '', bits] = name.split(' ');
  if (kind === 'RSA') return generateKeyPairSync('rsa', { modulusLength: Number(bits) });
  return kind === 'Ed25519'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: kind });
}

/** @param owner tells keys of one kind apart. */
function keysOf(name: KeyName, owner: string): Keys {
  const key = `${name} ${owner}`;
  const keys = made.get(key) ?? makeKeys(name);
  made.set(key, keys);
  return keys;
}

export interface CertificateOptions {
  readonly subject?: string;
  readonly keyName?: KeyName;
  readonly owner?: string;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly hash?: 'SHA-1' | 'SHA-256';
  /** In the place of the usual ones. */
  readonly extensions?: readonly x509.Extension[];
}

/** A certificate with the key that it is for. */
export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly privateKey: KeyObject;
  readonly subject: string;
}

export const { KeyUsageFlags: usages } = x509;

export const leafExtensions = (
  usage: x509.KeyUsageFlags = usages.digitalSignature,
  ...purposes: string[]
): x509.Extension[] => [
  new x509.KeyUsagesExtension(usage, true),
  ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(purposes)]),
];

export const authorityExtensions = (pathLength?: number): x509.Extension[] => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(usages.keyCertSign | usages.cRLSign, true),
];

/** A certificate by an issuer, or by itself. */
export async function issue(
  options: CertificateOptions,
  issuer?: Issued & { readonly keyName?: KeyName },
): Promise<Issued> {
  const subject = options.subject ?? 'C=US, ST=WA, O=Acme, CN=Release';
  const keys = keysOf(options.keyName ?? 'P-256', options.owner ?? subject);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: options.hash ?? 'SHA-256' };
  const spki = keys.publicKey.export({ format: 'der', type: 'spki' });
  const signer = issuer?.privateKey ?? keys.privateKey;
  const isRsa = signer.asymmetricKeyType === 'rsa';
  const signing = isRsa ? { name: 'RSASSA-PKCS1-v1_5', hash: options.hash ?? 'SHA-256' } : algorithm;
  const curve = signer.asymmetricKeyDetails?.namedCurve ?? '';
  const curves: Readonly<Record<string, string>> = {
    prime256v1: 'P-256',
    secp384r1: 'P-384',
    secp521r1: 'P-521',
  };
  const importing = isRsa ? signing : { ...algorithm, namedCurve: curves[curve] ?? 'P-256' };
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: '01',
      subject,
      issuer: issuer?.subject ?? subject,
      notBefore: new Date(options.notBeforeMs ?? signedAtMs - day),
      notAfter: new Date(options.notAfterMs ?? signedAtMs + 365 * day),
      publicKey: new x509.PublicKey(spki),
      signingKey: await webcrypto.subtle.importKey(
        'pkcs8',
        signer.export({ format: 'der', type: 'pkcs8' }),
        importing,
        false,
        ['sign'],
      ),
      signingAlgorithm: signing,
      extensions: [...(options.extensions ?? leafExtensions())],
    },
    webcrypto,
  );
  const der = new Uint8Array(certificate.rawData);
  return { der, pem: certificate.toString('pem'), privateKey: keys.privateKey, subject };
}

/** A signer's chain, from its certificate to the root. */
export interface TestChain {
  readonly leaf: Issued;
  readonly intermediate: Issued;
  readonly root: Issued;
  /** DER, from the leaf to the root. */
  readonly certificates: readonly Uint8Array[];
}

/** Root, intermediate and leaf, each as it should be but for what is said. */
export async function makeChain(
  options: {
    readonly leaf?: CertificateOptions;
    readonly intermediate?: CertificateOptions;
    readonly root?: CertificateOptions;
  } = {},
): Promise<TestChain> {
  const root = await issue({
    subject: 'C=US, O=Acme, CN=Root',
    extensions: authorityExtensions(),
    ...options.root,
  });
  const intermediate = await issue(
    { subject: 'C=US, O=Acme, CN=Intermediate', extensions: authorityExtensions(0), ...options.intermediate },
    root,
  );
  const leaf = await issue({ ...options.leaf }, intermediate);
  return { leaf, intermediate, root, certificates: [leaf.der, intermediate.der, root.der] };
}
