package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"
)

// The fixtures answer the same on every day between these: what is expired has been so for long, and what is valid
// will be for long. notation-go reads the clock of the machine, so that a fixed one would not be enough.
var (
	longAgo    = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	signedAt   = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	lapsed     = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	decisionAt = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	farAhead   = time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
	// listsUntil is when lists of revoked certificates and answers of responders run out.
	listsUntil = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
)

var (
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamping     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidCodeSigning      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
)

// identity is a certificate with its key and those who issued it, up to the root.
type identity struct {
	cert   *x509.Certificate
	key    crypto.Signer
	issuer *identity
}

// chain is leaf first, root last.
func (i *identity) chain() []*x509.Certificate {
	if i.issuer == nil {
		return []*x509.Certificate{i.cert}
	}
	return append([]*x509.Certificate{i.cert}, i.issuer.chain()...)
}

func subject(name string) pkix.Name {
	return pkix.Name{
		Country:      []string{"US"},
		Province:     []string{"WA"},
		Organization: []string{"Acme"},
		CommonName:   name,
	}
}

type edit func(*x509.Certificate)

var serial int64 = 1000

// issue makes a certificate; without issuer it is self-signed.
func issue(issuer *identity, key crypto.Signer, name string, edits ...edit) *identity {
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      subject(name),
		NotBefore:    longAgo,
		NotAfter:     farAhead,
	}
	for _, apply := range edits {
		apply(template)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return &identity{cert: must(x509.ParseCertificate(der)), key: key, issuer: issuer}
}

// authority is a CA; pathLen < 0 leaves it open.
func authority(issuer *identity, name string, pathLen int, edits ...edit) *identity {
	return issue(issuer, p256(), name, append([]edit{asAuthority(pathLen)}, edits...)...)
}

func leaf(issuer *identity, key crypto.Signer, edits ...edit) *identity {
	return issue(issuer, key, "release", append([]edit{asLeaf}, edits...)...)
}

func asLeaf(c *x509.Certificate) {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
}

func asAuthority(pathLen int) edit {
	return func(c *x509.Certificate) {
		c.BasicConstraintsValid = true
		c.IsCA = true
		c.MaxPathLen = pathLen
		c.MaxPathLenZero = pathLen == 0
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
}

func valid(from, to time.Time) edit {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

func keyUsage(usage x509.KeyUsage) edit {
	return func(c *x509.Certificate) { c.KeyUsage = usage }
}

func extKeyUsage(usages ...x509.ExtKeyUsage) edit {
	return func(c *x509.Certificate) { c.ExtKeyUsage = usages }
}

func signedWith(algorithm x509.SignatureAlgorithm) edit {
	return func(c *x509.Certificate) { c.SignatureAlgorithm = algorithm }
}

// extension writes one that crypto/x509 would write otherwise or not at all.
func extension(id asn1.ObjectIdentifier, critical bool, value any) edit {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{
			Id: id, Critical: critical, Value: must(asn1.Marshal(value)),
		})
	}
}

func extKeyUsages(critical bool, ids ...asn1.ObjectIdentifier) edit {
	return func(c *x509.Certificate) {
		c.ExtKeyUsage = nil
		extension(oidExtKeyUsage, critical, ids)(c)
	}
}

func p256() crypto.Signer { return ec(elliptic.P256()) }

func ec(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

var rsaKeys = map[int]crypto.Signer{}

// rsaKey makes one key of each size: they are slow to find, and no case is about two of them.
func rsaKey(bits int) crypto.Signer {
	if rsaKeys[bits] == nil {
		rsaKeys[bits] = must(rsa.GenerateKey(rand.Reader, bits))
	}
	return rsaKeys[bits]
}

func toPEM(certs ...*x509.Certificate) []byte {
	var text []byte
	for _, cert := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return text
}
