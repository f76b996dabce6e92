package main

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"time"
)

// timeCases are about expiry and validity without timestamps.
func (w *world) timeCases() []*fixture {
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }
	expired := leaf(w.root, p256(), valid(longAgo, lapsed))
	expires := func(r *recipe) { r.expiry = lapsed }

	add(w.both("expired", "The expiry that the signer set is past.", signatureExpired, w.release, expires)...)
	add(w.fixture("authority-expired", "The same under a signing authority.", signatureExpired, w.changed(formatJWS, w.release,
		func(r *recipe) { r.scheme, r.expiry = schemeAuthority, lapsed })))
	add(w.fixture("expired-permissive", "An expiry in the past, only logged at level permissive.", accepted,
		w.changed(formatJWS, w.release, expires), level("permissive")))
	add(w.fixture("expired-logged", "An expiry in the past, only logged by an override.", accepted,
		w.changed(formatJWS, w.release, expires), override("expiry", "log")))
	add(w.fixture("expired-enforced", "An expiry in the past, enforced at level permissive by an override.", signatureExpired,
		w.changed(formatJWS, w.release, expires), level("permissive"), override("expiry", "enforce")))

	add(w.both("certificate-expired", "The leaf has expired and nothing says when it signed.", certificateBad, expired, nil)...)
	add(w.fixture("certificate-expired-permissive", "The same, only logged at level permissive.", accepted,
		w.by(formatJWS, expired), level("permissive")))
	add(w.fixture("certificate-ahead", "The leaf is not valid yet.", certificateBad,
		w.by(formatJWS, leaf(w.root, p256(), valid(farAhead.AddDate(-1, 0, 0), farAhead)))))
	oldRoot := authority(nil, "Acme Old Test Root", -1, valid(longAgo, lapsed))
	add(w.fixture("root-expired", "The root has expired.", certificateBad, w.by(formatJWS, leaf(oldRoot, p256()))))
	oldIntermediate := authority(w.root, "Acme Old Test Intermediate", 0, valid(longAgo, lapsed))
	add(w.fixture("intermediate-expired", "The intermediate has expired.", certificateBad,
		w.by(formatJWS, leaf(oldIntermediate, p256()))))

	authorityScheme := func(at time.Time) func(*recipe) {
		return func(r *recipe) { r.scheme, r.signingTime = schemeAuthority, at }
	}
	add(w.both("authority-certificate-expired", "Expired since; the signing authority says that it signed before.", accepted,
		expired, authorityScheme(signedAt))...)
	add(w.fixture("authority-signed-late", "The signing authority says that it signed after the leaf had expired.",
		certificateBad, w.changed(formatJWS, expired, authorityScheme(lapsed.AddDate(0, 1, 0)))))
	add(w.fixture("authority-signed-early", "The signing authority says that it signed before the leaf was valid.",
		certificateBad, w.changed(formatJWS, expired, authorityScheme(longAgo.AddDate(0, -1, 0)))))
	return all
}

func (w *world) changed(format string, signer *identity, change func(*recipe)) recipe {
	r := w.by(format, signer)
	change(&r)
	return r
}

// timestampCases are signatures of scheme notary.x509 under a policy with a tsa store.
func (w *world) timestampCases() []*fixture {
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }
	expired := leaf(w.root, p256(), valid(longAgo, lapsed))
	withStore := func(certs ...*x509.Certificate) func(*fixture) {
		return func(f *fixture) {
			alsoTrusting(store("tsa", certs...))(f)
			if f.Issuer.VerifyTimestamp == "" {
				f.Issuer.VerifyTimestamp = "always"
			}
		}
	}
	stamped := func(format string, signer *identity, token func([]byte) []byte) recipe {
		return w.changed(format, signer, func(r *recipe) { r.token = token })
	}
	sound := tsa{signer: w.timestamps}
	for _, format := range []string{formatJWS, formatCOSE} {
		add(w.fixture("timestamped", "With a timestamp.", accepted, stamped(format, w.release, sound.token), withStore(w.tsa.cert)))
		add(w.fixture("timestamped-expired-certificate", "The leaf has expired since; the timestamp says that it signed before.",
			accepted, stamped(format, expired, sound.token), withStore(w.tsa.cert)))
		add(w.fixture("timestamp-absent", "No timestamp where policy asks for one.", trustedTimeAbsent, w.by(format, w.release),
			withStore(w.tsa.cert)))
		add(w.fixture("timestamp-other-signature", "The timestamp is of another signature.", trustedTimeAbsent,
			stamped(format, expired, tsa{signer: w.timestamps, about: []byte("another signature")}.token), withStore(w.tsa.cert)))
	}
	one := func(name, what, expected string, signer *identity, token func([]byte) []byte, edits ...func(*fixture)) {
		add(w.fixture(name, what, expected, stamped(formatJWS, signer, token), edits...))
	}
	trusted := withStore(w.tsa.cert)
	deepTSA := authority(w.tsa, "Acme Test Timestamp Intermediate", 0)
	one("timestamp-intermediate", "The timestamp's certificate has an intermediate.", accepted, expired,
		tsa{signer: timestampLeaf(deepTSA)}.token, trusted)
	one("timestamp-rsa", "The timestamp is signed by RSA.", accepted, expired,
		tsa{signer: issue(w.tsa, rsaKey(3072), "timestamps", keyUsage(x509.KeyUsageDigitalSignature),
			extKeyUsages(true, oidTimeStamping))}.token, trusted)
	one("timestamp-sha384", "The message imprint is SHA-384.", accepted, expired,
		tsa{signer: w.timestamps, imprint: crypto.SHA384}.token, trusted)
	add(w.fixture("timestamp-of-es384", "A P-384 signature with an imprint of SHA-512.", accepted,
		stamped(formatCOSE, leaf(w.root, ec(elliptic.P384()), valid(longAgo, lapsed)),
			tsa{signer: w.timestamps, imprint: crypto.SHA512}.token), trusted))
	one("timestamp-accurate", "The timestamp states an accuracy that fits in the validity.", accepted, expired,
		tsa{signer: w.timestamps, accuracy: time.Second}.token, trusted)
	one("timestamp-authority-expired", "The timestamp's certificate has expired since.", accepted, expired,
		tsa{signer: timestampLeaf(w.tsa, valid(longAgo, lapsed))}.token, trusted)
	one("timestamp-not-asked", "A timestamp, and no tsa store: the leaf is valid now.", accepted, w.release, sound.token)
	one("timestamp-bad-not-asked", "A broken timestamp, and no tsa store: it is not looked at.", accepted, w.release,
		sound.tampered)
	one("timestamp-not-asked-expired", "A timestamp, and no tsa store: the expired leaf stays expired.", certificateBad, expired,
		sound.token)
	afterExpiry := func(f *fixture) { f.Issuer.VerifyTimestamp = "afterCertExpiry" }
	add(w.fixture("timestamp-after-expiry-only", "No timestamp, asked for only after expiry; the leaf is valid.", accepted,
		w.by(formatJWS, w.release), afterExpiry, trusted))
	add(w.fixture("timestamp-after-expiry-absent", "No timestamp, asked for only after expiry; the leaf has expired.",
		trustedTimeAbsent, w.by(formatJWS, expired), afterExpiry, trusted))
	one("timestamp-after-expiry-expired", "A timestamp, asked for only after expiry; the leaf has expired.", accepted, expired,
		sound.token, afterExpiry, trusted)
	one("timestamp-bad-after-expiry-only", "A broken timestamp, asked for only after expiry; the leaf is valid.", accepted,
		w.release, sound.tampered, afterExpiry, trusted)
	add(w.fixture("timestamp-absent-permissive", "No timestamp, only logged at level permissive.", accepted,
		w.by(formatJWS, w.release), trusted, level("permissive")))
	add(w.fixture("timestamp-not-of-authority", "The signing authority's word is its time, a tsa store or not.", accepted,
		w.changed(formatJWS, expired, func(r *recipe) { r.scheme = schemeAuthority }),
		alsoTrusting(store("ca", w.stranger.cert)), trusted))

	broken := func(name, what, expected string, token func([]byte) []byte, edits ...func(*fixture)) {
		one("timestamp-"+name, what, expected, expired, token, append([]func(*fixture){trusted}, edits...)...)
	}
	by := func(signer *identity) func([]byte) []byte { return tsa{signer: signer}.token }
	broken("tampered", "The timestamp's signature is altered by a bit.", trustedTimeAbsent, sound.tampered)
	broken("garbage", "The timestamp is no CMS.", trustedTimeAbsent, func([]byte) []byte { return []byte("now, honestly") })
	broken("empty", "The timestamp is empty.", trustedTimeAbsent, func([]byte) []byte { return []byte{} })
	broken("other-root", "The timestamp is by an authority that the tsa store does not hold.", trustedTimeAbsent,
		by(timestampLeaf(w.stranger)))
	broken("ca-root", "The timestamp is by an authority that only the ca store holds.", trustedTimeAbsent,
		by(timestampLeaf(w.root)))
	broken("sha1", "The message imprint is SHA-1.", trustedTimeAbsent,
		tsa{signer: w.timestamps, imprint: crypto.SHA1}.token)
	broken("no-certificate", "The timestamp comes without its certificate.", trustedTimeAbsent,
		tsa{signer: w.timestamps, bare: true}.token)
	broken("missing-intermediate", "The timestamp comes without its intermediate.", trustedTimeAbsent,
		tsa{signer: timestampLeaf(deepTSA), alone: true}.token)
	broken("late", "The timestamp is after the leaf had expired.", certificateBad,
		tsa{signer: w.timestamps, at: lapsed.AddDate(0, 1, 0)}.token)
	early := valid(longAgo.AddDate(-2, 0, 0), farAhead)
	earlyRoot := authority(nil, "Acme Test Early Timestamp Root", -1, early)
	broken("early", "The timestamp is before the leaf was valid.", certificateBad,
		tsa{signer: timestampLeaf(earlyRoot, early), at: longAgo.AddDate(-1, 0, 0)}.token,
		trusting(store("ca", w.root.cert), store("tsa", earlyRoot.cert)))
	broken("straddles", "The accuracy of the timestamp reaches past the expiry of the leaf.", certificateBad,
		tsa{signer: w.timestamps, at: lapsed.Add(-time.Second), accuracy: 5 * time.Second}.token)
	broken("outlived", "The timestamp is after its own certificate had expired.", trustedTimeAbsent,
		tsa{signer: timestampLeaf(w.tsa, valid(longAgo, signedAt.AddDate(0, 0, -7)))}.token)
	broken("unbound", "The timestamp does not sign which certificate made it.", trustedTimeAbsent,
		tsa{signer: w.timestamps, unbound: true}.token)
	broken("bound-elsewhere", "The timestamp says that another certificate made it.", trustedTimeAbsent,
		tsa{signer: w.timestamps, bound: w.revokedTSA.cert}.token)
	broken("eku-absent", "The timestamp's certificate has no extended key usage.", trustedTimeAbsent,
		by(issue(w.tsa, p256(), "timestamps", keyUsage(x509.KeyUsageDigitalSignature))))
	broken("eku-code-signing", "The timestamp's certificate is for code signing.", trustedTimeAbsent,
		by(issue(w.tsa, p256(), "timestamps", asLeaf)))
	broken("eku-not-critical", "The extended key usage of the timestamp's certificate is not critical.", trustedTimeAbsent,
		by(timestampLeaf(w.tsa, func(c *x509.Certificate) { c.ExtraExtensions = nil }, extKeyUsages(false, oidTimeStamping))))
	broken("eku-two", "The timestamp's certificate is for timestamps and code.", trustedTimeAbsent,
		by(timestampLeaf(w.tsa, func(c *x509.Certificate) { c.ExtraExtensions = nil },
			extKeyUsages(true, oidTimeStamping, oidCodeSigning))))
	broken("revoked", "The timestamp's certificate is revoked.", revoked, by(w.revokedTSA),
		serving(crlURL, crl(w.tsa, revoking(w.revokedTSA.cert, 1))))
	broken("revocation-unknown", "The list of the timestamp's certificate does not answer.", revocationUnknown, by(w.revokedTSA))
	return all
}
