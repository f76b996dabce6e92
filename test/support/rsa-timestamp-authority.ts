import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

const timeStamping = '1.3.6.1.5.5.7.3.8';
const tstInfoType = '1.2.840.113549.1.9.16.1.4';
const sha256Oid = '2.16.840.1.101.3.4.2.1';
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-512',
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
};
const subjects = { root: 'CN=RSA root', leaf: 'CN=RSA timestamps' };

export interface RsaTimestampAuthority {
  /** DER, the signer of timestamps first. */
  readonly chain: readonly Buffer[];
  timestamp(signature: Uint8Array): Promise<Buffer>;
}

/** A timestamp authority that signs by RSA with SHA-512, which the mock of Sigstore cannot. */
export async function createRsaTimestampAuthority(genTime: Date): Promise<RsaTimestampAuthority> {
  const [rootKeys, leafKeys] = await Promise.all([newKeys(), newKeys()]);
  const shared = {
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2036-01-01'),
    signingAlgorithm: rsa,
  };
  const authorityKey = await x509.AuthorityKeyIdentifierExtension.create(
    rootKeys.publicKey,
    false,
    webcrypto,
  );
  const root = await x509.X509CertificateGenerator.create(
    {
      ...shared,
      serialNumber: '01',
      subject: subjects.root,
      issuer: subjects.root,
      publicKey: rootKeys.publicKey,
      signingKey: rootKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey, false, webcrypto),
        authorityKey,
      ],
    },
    webcrypto,
  );
  const leaf = await x509.X509CertificateGenerator.create(
    {
      ...shared,
      serialNumber: '02',
      subject: subjects.leaf,
      issuer: subjects.root,
      publicKey: leafKeys.publicKey,
      signingKey: rootKeys.privateKey,
      extensions: [
        new x509.ExtendedKeyUsageExtension([timeStamping], true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        authorityKey,
      ],
    },
    webcrypto,
  );
  const certificate = pkijs.Certificate.fromBER(leaf.rawData);
  const engine = new pkijs.CryptoEngine({ crypto: webcrypto as never });
  return {
    chain: [leaf, root].map(({ rawData }) => Buffer.from(rawData)),
    async timestamp(signature) {
      const info = tstInfo(signature, genTime);
      const encapContentInfo = new pkijs.EncapsulatedContentInfo({ eContentType: tstInfoType });
      encapContentInfo.eContent = new asn1js.OctetString({ valueHex: info });
      const attribute = (type: string, value: object) => new pkijs.Attribute({ type, values: [value] });
      const signed = new pkijs.SignedData({
        version: 3,
        encapContentInfo,
        signerInfos: [
          new pkijs.SignerInfo({
            version: 1,
            sid: new pkijs.IssuerAndSerialNumber({
              issuer: certificate.issuer,
              serialNumber: certificate.serialNumber,
            }),
            signedAttrs: new pkijs.SignedAndUnsignedAttributes({
              type: 0,
              attributes: [
                attribute('1.2.840.113549.1.9.3', new asn1js.ObjectIdentifier({ value: tstInfoType })),
                attribute(
                  '1.2.840.113549.1.9.4',
                  new asn1js.OctetString({
                    valueHex: createHash('sha512').update(Buffer.from(info)).digest(),
                  }),
                ),
              ],
            }),
          }),
        ],
      });
      await signed.sign(leafKeys.privateKey, 0, 'SHA-512', undefined, engine);
      const token = new pkijs.ContentInfo({
        contentType: '1.2.840.113549.1.7.2',
        content: signed.toSchema(true),
      });
      const response = new pkijs.TimeStampResp({
        status: new pkijs.PKIStatusInfo({ status: pkijs.PKIStatus.granted }),
        timeStampToken: new pkijs.ContentInfo({ schema: token.toSchema() }),
      });
      return Buffer.from(response.toSchema().toBER(false));
    },
  };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);

function tstInfo(signature: Uint8Array, genTime: Date): ArrayBuffer {
  return new pkijs.TSTInfo({
    version: 1,
    policy: '1.2.3.4.1',
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: sha256Oid }),
      hashedMessage: new asn1js.OctetString({ valueHex: createHash('sha256').update(signature).digest() }),
    }),
    serialNumber: new asn1js.Integer({ value: 7 }),
    genTime,
  })
    .toSchema()
    .toBER(false);
}
