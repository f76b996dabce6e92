package main

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"strings"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
)

func (w *world) algorithmCases() []*fixture {
	var all []*fixture
	for _, each := range []struct {
		what   string
		signer *identity
	}{
		{"RSA 2048", leaf(w.root, rsaKey(2048))},
		{"RSA 3072", leaf(w.root, rsaKey(3072))},
		{"RSA 4096", leaf(w.root, rsaKey(4096))},
		{"P-256", w.release},
		{"P-384", leaf(w.root, ec(elliptic.P384()))},
		{"P-521", leaf(w.root, ec(elliptic.P521()))},
	} {
		name := strings.ToLower(algorithmOf(each.signer.key.Public()))
		all = append(all, w.both(name, "Signed by a key of "+each.what+".", accepted, each.signer, nil)...)
	}
	return all
}

// soundCases are signatures that look unusual and are good.
func (w *world) soundCases() []*fixture {
	selfSigned := leaf(nil, p256())
	deep := leaf(w.intermediate, p256())
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }

	add(w.both("self-signed", "A self-signed leaf is its own root.", accepted, selfSigned, nil)...)
	add(w.both("three-levels", "Leaf, intermediate, root.", accepted, deep, nil)...)
	add(w.both("signing-authority", "Scheme notary.x509.signingAuthority.", accepted, w.release, func(r *recipe) {
		r.scheme = schemeAuthority
	})...)
	add(w.both("expiry-ahead", "With an expiry that is far ahead.", accepted, w.release, func(r *recipe) {
		r.expiry = farAhead
	})...)
	add(w.both("authority-expiry-ahead", "Signing authority, with an expiry.", accepted, w.release, func(r *recipe) {
		r.scheme, r.expiry = schemeAuthority, farAhead
	})...)
	add(w.both("extended", "With an extended attribute that is not critical.", accepted, w.release, func(r *recipe) {
		r.attributes = []signature.Attribute{{Key: extendedLabel, Value: "4711"}}
	})...)
	add(w.both("user-metadata", "The target has annotations, as notation sign --user-metadata writes.", accepted, w.release,
		func(r *recipe) {
			target := w.image
			target.Annotations = map[string]string{"com.acme.commit": "4711"}
			r.payload = payloadOf(target)
		})...)
	add(w.both("index", "An image index is signed.", accepted, w.release,
		func(r *recipe) { r.payload = payloadOf(w.index) },
		func(f *fixture) { f.Target = indexTarget })...)
	add(w.both("payload-claims", "The payload has the JWT claims exp and iat, which do not apply.", accepted, w.release,
		func(r *recipe) {
			r.payload = must(json.Marshal(map[string]any{"targetArtifact": w.image, "exp": 1, "iat": int64(32503680000)}))
			r.byHand = true
		})...)
	add(w.both("fractional-time", "The time of signing has a fraction of a second.", accepted, w.release, func(r *recipe) {
		r.signingTime = signedAt.Add(123 * time.Millisecond)
	})...)
	add(w.both("no-agent", "Without the name of the program that signed.", accepted, w.release, func(r *recipe) {
		r.unprotected = func(m *members) { m.remove(labelAgent) }
	})...)

	sound := func(name, what string, edits ...edit) {
		add(w.fixture(name, what, accepted, w.by(formatJWS, leaf(w.root, p256(), edits...))))
	}
	sound("leaf-without-eku", "The leaf states no extended key usage.", extKeyUsage())
	sound("leaf-content-commitment", "The leaf's key usage has contentCommitment beside digitalSignature.",
		keyUsage(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment))
	sound("leaf-ca-false", "The leaf states that it is no authority.", func(c *x509.Certificate) {
		c.BasicConstraintsValid = true
	})
	sound("leaf-eku-own", "The leaf's extended key usage has a private purpose beside codeSigning.",
		extKeyUsages(false, oidCodeSigning, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}))
	sound("leaf-eku-critical", "The leaf's extended key usage is critical.", extKeyUsages(true, oidCodeSigning))
	return all
}

// trustCases are sound signatures whose signer is trusted, or not.
func (w *world) trustCases() []*fixture {
	deep := leaf(w.intermediate, p256())
	authorityScheme := func(r *recipe) { r.scheme = schemeAuthority }
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }

	add(w.both("other-root", "The trust store holds another root.", signerNotTrusted, w.release, nil,
		trusting(store("ca", w.stranger.cert)))...)
	add(w.fixture("namesake-root", "The trust store holds another root of the same name.", signerNotTrusted,
		w.by(formatJWS, w.release), trusting(store("ca", authority(nil, "Acme Test Root", -1).cert))))
	add(w.both("scheme-without-store", "Scheme notary.x509, but only a signingAuthority store.", signerNotTrusted, w.release,
		nil, trusting(store("signingAuthority", w.root.cert)))...)
	add(w.both("authority-without-store", "Scheme notary.x509.signingAuthority, but only a ca store.", signerNotTrusted,
		w.release, authorityScheme, trusting(store("ca", w.root.cert)))...)
	add(w.fixture("tsa-store-only", "The root is only in the tsa store.", signerNotTrusted, w.by(formatJWS, w.release),
		trusting(store("ca", w.stranger.cert), store("tsa", w.root.cert)), verifyTimestamp("afterCertExpiry")))
	add(w.fixture("intermediate-trusted", "The trust store holds the intermediate and not the root.", accepted,
		w.by(formatJWS, deep), trusting(store("ca", w.intermediate.cert))))
	add(w.fixture("several-roots", "The trust store holds the root among others.", accepted, w.by(formatJWS, w.release),
		trusting(store("ca", w.stranger.cert, w.root.cert))))

	named := func(name, what, expected string, allowed ...string) {
		add(w.fixture("identity-"+name, what, expected, w.by(formatJWS, w.release), identities(allowed...)))
	}
	named("wildcard", "Any identity of the trust store.", accepted, "*")
	named("exact", "The whole subject.", accepted, "x509.subject: C=US, ST=WA, O=Acme, CN=release")
	named("reordered", "The whole subject in another order.", accepted, "x509.subject: CN=release, O=Acme, ST=WA, C=US")
	named("second", "The second of two identities.", accepted,
		"x509.subject: C=US, ST=WA, O=Other", "x509.subject: C=US, ST=WA, O=Acme, CN=release")
	named("other-organisation", "Another organisation.", signerNotTrusted, "x509.subject: C=US, ST=WA, O=Other")
	named("other-name", "Another common name.", signerNotTrusted, "x509.subject: C=US, ST=WA, O=Acme, CN=deploy")
	named("longer-name", "The common name is longer than that of the signer.", signerNotTrusted,
		"x509.subject: C=US, ST=WA, O=Acme, CN=release2")
	named("more-parts", "An attribute that the signer does not have.", signerNotTrusted,
		"x509.subject: C=US, ST=WA, O=Acme, OU=Shop")
	named("case", "The organisation in other case.", signerNotTrusted, "x509.subject: C=US, ST=WA, O=ACME")
	add(w.fixture("identity-of-authority", "The identity is that of the intermediate and not of the leaf.", signerNotTrusted,
		w.by(formatJWS, deep), identities("x509.subject: C=US, ST=WA, O=Acme, CN=Acme Test Intermediate")))
	comma := issue(w.root, p256(), "release", asLeaf, func(c *x509.Certificate) {
		c.Subject.Organization = []string{"Acme, Inc."}
	})
	add(w.fixture("identity-comma", "A comma in the organisation.", accepted, w.by(formatJWS, comma),
		identities(`x509.subject: C=US, ST=WA, O=Acme\, Inc.`)))
	injected := issue(w.root, p256(), "x, O=Acme", asLeaf, func(c *x509.Certificate) {
		c.Subject.Organization = []string{"Other"}
	})
	add(w.fixture("identity-injected", "The common name spells the trusted organisation.", signerNotTrusted,
		w.by(formatJWS, injected)))
	twice := issue(w.root, p256(), "release", asLeaf, func(c *x509.Certificate) {
		c.Subject.Organization = []string{"Acme", "Other"}
	})
	add(w.fixture("identity-two-organisations", "The subject has two organisations, of which one is trusted.", signerNotTrusted,
		w.by(formatJWS, twice)))
	return all
}
