package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

var (
	oidSignedData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

var hashOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

var sha256Identifier = pkix.AlgorithmIdentifier{Algorithm: hashOIDs[crypto.SHA256]}

// The shapes of RFC 5652 that a timestamp needs.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version      int
		Algorithms   []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      encapsulated
		Certificates asn1.RawValue `asn1:"optional"`
		Signers      []signerInfo  `asn1:"set"`
	}
	encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	signerInfo struct {
		Version            int
		Signer             issuerAndSerial
		DigestAlgorithm    pkix.AlgorithmIdentifier
		SignedAttributes   asn1.RawValue
		SignatureAlgorithm pkix.AlgorithmIdentifier
		Signature          []byte
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
)

func raw(value any) asn1.RawValue { return asn1.RawValue{FullBytes: must(asn1.Marshal(value))} }

// tsa is a timestamp authority in so far as a test needs one: it signs what it is told, also nonsense.
type tsa struct {
	signer *identity
	// at is the time that it claims.
	at time.Time
	// accuracy, if it states one.
	accuracy time.Duration
	// imprint is the hash of the message imprint.
	imprint crypto.Hash
	// bare leaves the certificates out.
	bare bool
	// alone puts only the certificate of the signer in.
	alone bool
	// about replaces the message.
	about []byte
	// unbound leaves the signed hash of the certificate out; bound is another certificate than that of the signer.
	unbound bool
	bound   *x509.Certificate
}

func timestampLeaf(issuer *identity, edits ...edit) *identity {
	return issue(issuer, p256(), "timestamps", append([]edit{
		keyUsage(x509.KeyUsageDigitalSignature), extKeyUsages(true, oidTimeStamping),
	}, edits...)...)
}

// token is a TimeStampToken of RFC 3161 over message: CMS SignedData of RFC 5652, DER.
func (t tsa) token(message []byte) []byte {
	info := t.info(message)
	hash := sha256.Sum256(info)
	attributes := []attribute{
		{oidContentType, []asn1.RawValue{raw(oidTSTInfo)}},
		{oidMessageDigest, []asn1.RawValue{raw(hash[:])}},
	}
	if !t.unbound {
		attributes = append(attributes, attribute{oidSigningCertificateV2, []asn1.RawValue{t.binding()}})
	}
	signedAttributes := must(asn1.MarshalWithParams(attributes, "set"))
	digest := sha256.Sum256(signedAttributes)
	// Within SignerInfo the set is tagged [0].
	implicit := append([]byte{0xa0}, signedAttributes[1:]...)
	var certs []byte
	for i, cert := range t.signer.chain() {
		if !t.bare && (i == 0 || !t.alone) {
			certs = append(certs, cert.Raw...)
		}
	}
	return must(asn1.Marshal(contentInfo{oidSignedData, signedData{
		Version:      3,
		Algorithms:   []pkix.AlgorithmIdentifier{sha256Identifier},
		Content:      encapsulated{oidTSTInfo, info},
		Certificates: certificateSet(certs),
		Signers: []signerInfo{{
			Version:            1,
			Signer:             issuerAndSerial{asn1.RawValue{FullBytes: t.signer.cert.RawIssuer}, t.signer.cert.SerialNumber},
			DigestAlgorithm:    sha256Identifier,
			SignedAttributes:   asn1.RawValue{FullBytes: implicit},
			SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: t.signatureOID()},
			Signature:          must(t.signer.key.Sign(rand.Reader, digest[:], crypto.SHA256)),
		}},
	}}))
}

// certificateSet is absent when there are none.
func certificateSet(certs []byte) asn1.RawValue {
	if len(certs) == 0 {
		return asn1.RawValue{}
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certs}
}

func (t tsa) signatureOID() asn1.ObjectIdentifier {
	if _, ok := t.signer.key.(*rsa.PrivateKey); ok {
		return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	}
	return asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
}

// info is TSTInfo of RFC 3161.
func (t tsa) info(message []byte) []byte {
	if t.about != nil {
		message = t.about
	}
	imprint := t.imprint
	if imprint == 0 {
		imprint = crypto.SHA256
	}
	hash := imprint.New()
	hash.Write(message)
	at := t.at
	if at.IsZero() {
		at = signedAt
	}
	type messageImprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
	}
	type accuracy struct {
		Seconds int64 `asn1:"optional"`
	}
	serial++
	return must(asn1.Marshal(struct {
		Version  int
		Policy   asn1.ObjectIdentifier
		Imprint  messageImprint
		Serial   *big.Int
		Time     time.Time `asn1:"generalized"`
		Accuracy accuracy  `asn1:"optional"`
	}{
		Version:  1,
		Policy:   asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 3},
		Imprint:  messageImprint{pkix.AlgorithmIdentifier{Algorithm: hashOIDs[imprint]}, hash.Sum(nil)},
		Serial:   big.NewInt(serial),
		Time:     at.UTC(),
		Accuracy: accuracy{Seconds: int64(t.accuracy / time.Second)},
	}))
}

// binding is SigningCertificateV2 of RFC 5035, with SHA-256.
func (t tsa) binding() asn1.RawValue {
	bound := t.signer.cert
	if t.bound != nil {
		bound = t.bound
	}
	type certID struct{ Hash []byte }
	hash := sha256.Sum256(bound.Raw)
	return asn1.RawValue{FullBytes: must(asn1.Marshal(struct{ Certs []certID }{[]certID{{hash[:]}}}))}
}

// tampered alters one bit of the signature, which is what the token ends with.
func (t tsa) tampered(message []byte) []byte {
	token := bytes.Clone(t.token(message))
	token[len(token)-3] ^= 1
	return token
}
