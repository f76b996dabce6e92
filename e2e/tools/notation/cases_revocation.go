package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/ocsp"
)

const (
	reasonKeyCompromise   = 1
	reasonSuperseded      = 4
	reasonCertificateHold = 6
)

// revocationCases are sound signatures whose certificates name lists or responders.
func (w *world) revocationCases() []*fixture {
	var all []*fixture
	named := leaf(w.root, p256(), crlAt(crlURL))
	strangersList := crl(authority(nil, "Acme Test Root", -1))
	list := func(name, what, expected string, der []byte, edits ...func(*fixture)) {
		if der != nil {
			edits = append([]func(*fixture){serving(crlURL, der)}, edits...)
		}
		all = append(all, w.fixture("crl-"+name, what, expected, w.by(formatJWS, named), edits...))
	}
	list("good", "The list does not have the leaf.", accepted, crl(w.root, revoking(w.stranger.cert, reasonKeyCompromise)))
	list("empty", "The list is empty.", accepted, crl(w.root))
	list("revoked", "The list has the leaf.", revoked, crl(w.root, revoking(named.cert, reasonKeyCompromise)))
	list("superseded", "The list has the leaf as superseded: that is revoked, too.", revoked,
		crl(w.root, revoking(named.cert, reasonSuperseded)))
	list("hold", "The list has the leaf on hold.", revoked, crl(w.root, revoking(named.cert, reasonCertificateHold)))
	list("revoked-among-many", "The list has the leaf among 2000 others.", revoked,
		crl(w.root, append(revokingMany(2000), revoking(named.cert, reasonKeyCompromise))...))
	list("revoked-permissive", "The list has the leaf, only logged at level permissive.", accepted,
		crl(w.root, revoking(named.cert, reasonKeyCompromise)), level("permissive"))
	list("revoked-skipped", "The list has the leaf, and an override skips revocation.", accepted,
		crl(w.root, revoking(named.cert, reasonKeyCompromise)), override("revocation", "skip"))
	list("absent", "The list does not answer.", revocationUnknown, nil)
	list("absent-permissive", "The list does not answer, only logged at level permissive.", accepted, nil, level("permissive"))
	list("garbage", "The list is none.", revocationUnknown, []byte("nobody is revoked"))
	list("expired", "The list is out of date.", revocationUnknown, crl(w.root, updated(longAgo, lapsed)))
	list("other-issuer", "The list is by another authority.", revocationUnknown, crl(w.stranger))
	list("namesake", "The list is by another authority of the same name.", revocationUnknown, strangersList)
	list("critical-extension", "The list has a critical extension that nobody knows.", revocationUnknown,
		crl(w.root, crlExtension(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}, true, "unknown")))
	tampered := crl(w.root)
	tampered[len(tampered)-3] ^= 1
	list("tampered", "The list's signature is altered by a bit.", revocationUnknown, tampered)

	noSign := authority(w.root, "Acme Test No Lists", 0, keyUsage(x509.KeyUsageCertSign))
	underNoSign := leaf(noSign, p256(), crlAt(crlURL))
	signsAnyway := &identity{cert: cloneWithUsage(noSign.cert, x509.KeyUsageCertSign|x509.KeyUsageCRLSign), key: noSign.key}
	all = append(all, w.fixture("crl-not-allowed", "The list's authority may not sign lists.", revocationUnknown,
		w.by(formatJWS, underNoSign), serving(crlURL, crl(signsAnyway))))

	middle := authority(w.root, "Acme Test Revoked Intermediate", 0, crlAt(intermediateCrlURL))
	underMiddle := leaf(middle, p256())
	all = append(all,
		w.fixture("crl-revoked-authority", "The intermediate is revoked.", revoked, w.by(formatJWS, underMiddle),
			serving(intermediateCrlURL, crl(w.root, revoking(middle.cert, reasonKeyCompromise)))),
		w.fixture("crl-good-authority", "The intermediate is not revoked.", accepted, w.by(formatJWS, underMiddle),
			serving(intermediateCrlURL, crl(w.root))))

	authorityScheme := func(r *recipe) { r.scheme = schemeAuthority }
	later := signedAt.AddDate(0, 0, 7)
	earlier := signedAt.AddDate(0, 0, -7)
	all = append(all,
		w.fixture("crl-invalid-later", "Revoked, but invalid only since a time after that of the signing authority.", accepted,
			w.changed(formatJWS, named, authorityScheme),
			serving(crlURL, crl(w.root, revoking(named.cert, reasonKeyCompromise, invalidSince(later))))),
		w.fixture("crl-invalid-earlier", "Revoked, and invalid since before the time of the signing authority.", revoked,
			w.changed(formatJWS, named, authorityScheme),
			serving(crlURL, crl(w.root, revoking(named.cert, reasonKeyCompromise, invalidSince(earlier))))),
		w.fixture("crl-invalid-later-x509", "Invalid only later, but nothing trusted says when it was signed.", revoked,
			w.by(formatJWS, named),
			serving(crlURL, crl(w.root, revoking(named.cert, reasonKeyCompromise, invalidSince(later))))))

	all = append(all, w.fixture("crl-revoked-later", "Revoked after the signing authority says that it signed: revoked all the same.",
		revoked, w.changed(formatJWS, named, authorityScheme), serving(crlURL, crl(w.root, revoking(named.cert, reasonKeyCompromise)))))

	timestamped := func(name, what, expected string, extensions []pkix.Extension, edits ...func(*fixture)) {
		edits = append([]func(*fixture){
			alsoTrusting(store("tsa", w.tsa.cert)), verifyTimestamp("always"),
			serving(crlURL, crl(w.root, revoking(named.cert, reasonKeyCompromise, extensions...))),
		}, edits...)
		all = append(all, w.fixture("crl-timestamped-"+name, what, expected,
			w.changed(formatJWS, named, func(r *recipe) { r.token = tsa{signer: w.timestamps}.token }), edits...))
	}
	timestamped("invalid-later", "Revoked, but invalid only since a time after that of the timestamp.", accepted,
		[]pkix.Extension{invalidSince(later)},
		differs("notation-go compares the date of invalidity only with the word of a signing authority; the specification names the timestamp."))
	timestamped("invalid-earlier", "Revoked, and invalid since before the timestamp.", revoked,
		[]pkix.Extension{invalidSince(earlier)})
	timestamped("revoked-later", "Revoked after the timestamp, without a date of invalidity: revoked all the same.", revoked, nil)

	return append(all, w.ocspCases()...)
}

func (w *world) ocspCases() []*fixture {
	var all []*fixture
	asked := leaf(w.root, p256(), ocspAt(ocspURL))
	answer := func(name, what, expected string, der []byte, edits ...func(*fixture)) {
		if der != nil {
			edits = append([]func(*fixture){serving(ocspURL, der)}, edits...)
		}
		all = append(all, w.fixture("ocsp-"+name, what, expected, w.by(formatJWS, asked), edits...))
	}
	underAuthority := func(f *fixture) {
		f.recipe.scheme = schemeAuthority
		f.Issuer.TrustStores[0].Type = "signingAuthority"
	}
	delegate := func(edits ...edit) *identity {
		return issue(w.root, p256(), "responder", append([]edit{
			keyUsage(x509.KeyUsageDigitalSignature), extKeyUsage(x509.ExtKeyUsageOCSPSigning),
		}, edits...)...)
	}
	answer("good", "The responder says good.", accepted, response{status: ocsp.Good, about: asked}.der())
	answer("revoked", "The responder says revoked.", revoked, response{status: ocsp.Revoked, about: asked}.der())
	answer("revoked-permissive", "The responder says revoked, only logged at level permissive.", accepted,
		response{status: ocsp.Revoked, about: asked}.der(), level("permissive"))
	answer("unknown", "The responder says unknown.", revocationUnknown, response{status: ocsp.Unknown, about: asked}.der())
	answer("absent", "The responder does not answer.", revocationUnknown, nil)
	answer("garbage", "The answer is none.", revocationUnknown, []byte("good, honestly"))
	answer("try-later", "The responder asks to try later.", revocationUnknown, ocsp.TryLaterErrorResponse)
	answer("expired", "The answer is out of date.", revocationUnknown,
		response{status: ocsp.Good, about: asked, nextUpdate: lapsed}.der())
	answer("other-certificate", "The answer is about another certificate.", revocationUnknown,
		response{status: ocsp.Good, about: w.release}.der())
	answer("stranger", "The answer is by another authority.", revocationUnknown,
		response{status: ocsp.Good, about: asked, responder: w.stranger}.der())
	answer("delegated", "The answer is by a responder that the authority appointed.", accepted,
		response{status: ocsp.Good, about: asked, responder: delegate()}.der())
	answer("delegated-revoked", "An appointed responder says revoked.", revoked,
		response{status: ocsp.Revoked, about: asked, responder: delegate()}.der())
	answer("not-appointed", "The answer is by a certificate of the authority that is no responder.", revocationUnknown,
		response{status: ocsp.Good, about: asked, responder: w.release}.der(),
		differs("notation-go takes the word of any certificate of the authority; RFC 6960, section 4.2.2.2 asks for OCSPSigning."))
	answer("delegate-expired", "The appointed responder's certificate has expired.", revocationUnknown,
		response{status: ocsp.Good, about: asked, responder: delegate(valid(longAgo, lapsed))}.der(),
		differs("notation-go does not look at the validity of the responder's certificate, as RFC 6960, section 4.2.2.2 implies."))
	answer("revoked-later", "Revoked after the signing authority says that it signed: revoked all the same.", revoked,
		response{status: ocsp.Revoked, about: asked}.der(), underAuthority)
	answer("invalid-later", "Revoked, but invalid only since a time after that of the signing authority.", accepted,
		response{status: ocsp.Revoked, about: asked, extensions: []pkix.Extension{invalidSince(signedAt.AddDate(0, 0, 7))}}.der(),
		underAuthority)
	answer("invalid-earlier", "Revoked, and invalid since before the time of the signing authority.", revoked,
		response{status: ocsp.Revoked, about: asked, extensions: []pkix.Extension{invalidSince(signedAt.AddDate(0, 0, -7))}}.der(),
		underAuthority)
	tampered := response{status: ocsp.Good, about: asked}.der()
	tampered[len(tampered)-3] ^= 1
	answer("tampered", "The answer's signature is altered by a bit.", revocationUnknown, tampered)

	both := leaf(w.root, p256(), ocspAt(ocspURL), crlAt(crlURL))
	fallback := func(name, what, expected string, answer, list []byte) {
		edits := []func(*fixture){}
		if answer != nil {
			edits = append(edits, serving(ocspURL, answer))
		}
		if list != nil {
			edits = append(edits, serving(crlURL, list))
		}
		all = append(all, w.fixture("ocsp-crl-"+name, what, expected, w.by(formatJWS, both), edits...))
	}
	good := response{status: ocsp.Good, about: both}.der()
	clean := crl(w.root)
	dirty := crl(w.root, revoking(both.cert, reasonKeyCompromise))
	fallback("absent-good", "The responder does not answer; the list is clean.", accepted, nil, clean)
	fallback("absent-revoked", "The responder does not answer; the list has the leaf.", revoked, nil, dirty)
	fallback("absent-absent", "Neither responder nor list answers.", revocationUnknown, nil, nil)
	fallback("good-absent", "The responder says good; the list is not asked.", accepted, good, nil)
	fallback("revoked-good", "The responder says revoked, the list is clean.", revoked,
		response{status: ocsp.Revoked, about: both}.der(), clean)
	fallback("unknown-good", "The responder says unknown; the list is clean.", accepted,
		response{status: ocsp.Unknown, about: both}.der(), clean)
	fallback("unknown-revoked", "The responder says unknown; the list has the leaf.", revoked,
		response{status: ocsp.Unknown, about: both}.der(), dirty)
	return all
}

func revokingMany(count int64) []crlEdit {
	return []crlEdit{func(list *x509.RevocationList) {
		for i := int64(0); i < count; i++ {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(1_000_000 + i), RevocationTime: lapsed,
			})
		}
	}}
}

// cloneWithUsage lets a key sign what its certificate does not allow.
func cloneWithUsage(cert *x509.Certificate, usage x509.KeyUsage) *x509.Certificate {
	clone := *cert
	clone.KeyUsage = usage
	return &clone
}
