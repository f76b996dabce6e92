package main

import (
	"crypto/x509"
	"fmt"
)

// Verdicts: what Refwarden is to say. Codes are of src/failures/catalogue.ts.
const (
	accepted          = "accepted"
	signatureInvalid  = "SignatureInvalid"
	payloadInvalid    = "PayloadInvalid"
	subjectMismatch   = "SubjectMismatch"
	certificateBad    = "CertificateInvalid"
	signerNotTrusted  = "SignerNotTrusted"
	trustedTimeAbsent = "TrustedTimeMissing"
	formatUnsupported = "FormatUnsupported"
	signatureExpired  = "SignatureExpired"
	revoked           = "CertificateRevoked"
	revocationUnknown = "RevocationUnknown"
)

// issuerSpec is a Notation issuer: a trust policy and its trust stores.
type issuerSpec struct {
	Level             string            `json:"level"`
	Override          map[string]string `json:"override,omitempty"`
	TrustStores       []trustStore      `json:"trustStores"`
	TrustedIdentities []string          `json:"trustedIdentities"`
	VerifyTimestamp   string            `json:"verifyTimestamp,omitempty"`
}

// trustStore holds certificates as PEM in a file.
type trustStore struct {
	Type         string              `json:"type"`
	Name         string              `json:"name"`
	Certificates string              `json:"certificates"`
	certs        []*x509.Certificate `json:"-"`
}

// fixture is one envelope, how it is to be verified and what is to come of it.
type fixture struct {
	Name string `json:"name"`
	What string `json:"what"`
	// Envelope is a file; MediaType that of the layer that holds it.
	Envelope  string     `json:"envelope"`
	MediaType string     `json:"mediaType"`
	MadeBy    string     `json:"madeBy"`
	Target    string     `json:"target"`
	Issuer    issuerSpec `json:"issuer"`
	// Revocation: files by the URL that serves them. What is not here does not answer.
	Revocation map[string]string `json:"revocation,omitempty"`
	Expected   string            `json:"expected"`
	NotationGo outcome           `json:"notationGo"`
	// Difference says why the two do not agree.
	Difference string `json:"difference,omitempty"`

	recipe   recipe            `json:"-"`
	material map[string][]byte `json:"-"`
}

type outcome struct {
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"`
}

// cases is the whole of cases.json.
type cases struct {
	// NowMs is the time of the decision, milliseconds since the epoch.
	NowMs   int64                 `json:"nowMs"`
	Targets map[string]descriptor `json:"targets"`
	Cases   []*fixture            `json:"cases"`
}

const acmeIdentity = "x509.subject: C=US, ST=WA, O=Acme"

func strict(stores ...trustStore) issuerSpec {
	return issuerSpec{Level: "strict", TrustStores: stores, TrustedIdentities: []string{acmeIdentity}}
}

func store(kind string, certs ...*x509.Certificate) trustStore {
	return trustStore{Type: kind, Name: "acme", certs: certs}
}

// fixture with the defaults: strict, the root of the chain trusted as an authority of its scheme.
func (w *world) fixture(name, what, expected string, r recipe, edits ...func(*fixture)) *fixture {
	kind := "ca"
	if r.scheme == schemeAuthority {
		kind = "signingAuthority"
	}
	anchor := w.root.cert
	if len(r.chain) > 0 {
		anchor = r.chain[len(r.chain)-1]
	}
	f := &fixture{
		Name: r.format + "-" + name, What: what, Expected: expected, Target: imageTarget, recipe: r,
		Issuer: strict(store(kind, anchor)),
	}
	for _, apply := range edits {
		apply(f)
	}
	return f
}

// both makes a case in either format.
func (w *world) both(name, what, expected string, signer *identity, change func(*recipe), edits ...func(*fixture)) []*fixture {
	var made []*fixture
	for _, format := range []string{formatJWS, formatCOSE} {
		r := w.by(format, signer)
		if change != nil {
			change(&r)
		}
		made = append(made, w.fixture(name, what, expected, r, edits...))
	}
	return made
}

func differs(why string) func(*fixture) {
	return func(f *fixture) { f.Difference = why }
}

func trusting(stores ...trustStore) func(*fixture) {
	return func(f *fixture) { f.Issuer.TrustStores = stores }
}

func alsoTrusting(stores ...trustStore) func(*fixture) {
	return func(f *fixture) { f.Issuer.TrustStores = append(f.Issuer.TrustStores, stores...) }
}

func identities(allowed ...string) func(*fixture) {
	return func(f *fixture) { f.Issuer.TrustedIdentities = allowed }
}

func level(name string) func(*fixture) {
	return func(f *fixture) { f.Issuer.Level = name }
}

func override(check, action string) func(*fixture) {
	return func(f *fixture) { f.Issuer.Override = map[string]string{check: action} }
}

func verifyTimestamp(when string) func(*fixture) {
	return func(f *fixture) { f.Issuer.VerifyTimestamp = when }
}

func serving(url string, body []byte) func(*fixture) {
	return func(f *fixture) {
		if f.material == nil {
			f.material = map[string][]byte{}
		}
		f.material[url] = body
	}
}

func (w *world) fixtures() []*fixture {
	var all []*fixture
	for _, some := range [][]*fixture{
		w.algorithmCases(), w.soundCases(), w.trustCases(), w.timeCases(), w.timestampCases(), w.signatureCases(),
		w.jwsCases(), w.coseCases(), w.headerCases(), w.payloadCases(), w.chainCases(), w.leafCases(), w.revocationCases(),
	} {
		all = append(all, some...)
	}
	names := map[string]bool{}
	for _, each := range all {
		if names[each.Name] {
			panic(fmt.Sprintf("two cases are called %s", each.Name))
		}
		names[each.Name] = true
	}
	return all
}
