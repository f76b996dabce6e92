package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// chainCases break the chain above the leaf, or its order.
func (w *world) chainCases() []*fixture {
	var all []*fixture
	deep := leaf(w.intermediate, p256())
	arranged := func(name, what string, signer *identity, chain []*x509.Certificate, edits ...func(*fixture)) {
		edits = append([]func(*fixture){trusting(store("ca", w.root.cert))}, edits...)
		all = append(all, w.fixture(name, what, certificateBad, w.changed(formatJWS, signer, func(r *recipe) {
			r.byHand, r.chain = true, chain
		}), edits...))
	}
	full := deep.chain()
	arranged("chain-unordered", "Intermediate and root are swapped.", deep, []*x509.Certificate{full[0], full[2], full[1]})
	arranged("chain-reversed", "Root first: the root is not who signed.", deep, []*x509.Certificate{full[2], full[1], full[0]})
	all[len(all)-1].Expected = signatureInvalid
	arranged("chain-without-intermediate", "The intermediate is missing.", deep, []*x509.Certificate{full[0], full[2]})
	arranged("chain-without-root", "The root is missing.", deep, full[:2])
	arranged("chain-leaf-only", "A leaf alone that is not self-signed.", w.release, w.release.chain()[:1])
	arranged("chain-extra", "A certificate that does not belong there follows the root.", w.release,
		append(w.release.chain(), w.stranger.cert))
	arranged("chain-root-twice", "The root twice.", w.release, append(w.release.chain(), w.root.cert))
	arranged("chain-leaf-twice", "The leaf twice.", w.release, append([]*x509.Certificate{w.release.cert}, w.release.chain()...))
	forged := leaf(authority(nil, "Acme Test Root", -1), p256())
	arranged("chain-forged", "The leaf is by another authority of the name of the root.", forged,
		[]*x509.Certificate{forged.cert, w.root.cert})
	arranged("chain-forged-appended", "A forged chain with the trusted root behind it.", forged,
		append(forged.chain(), w.root.cert))
	impostor := issue(w.release, p256(), "release", asLeaf)
	arranged("chain-leaf-as-authority", "Issued by a leaf.", impostor, impostor.chain())

	under := func(name, what string, authority *identity) {
		signer := leaf(authority, p256())
		arranged(name, what, signer, signer.chain(), trusting(store("ca", signer.chain()[len(signer.chain())-1])))
	}
	under("ca-false", "The intermediate states that it is no authority.", authority(w.root, "Acme Test Not Authority", -1,
		func(c *x509.Certificate) { c.IsCA, c.MaxPathLen = false, 0 }))
	under("ca-unstated", "The intermediate has no basic constraints.", authority(w.root, "Acme Test Unstated", -1,
		func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = false, false }))
	under("ca-not-critical", "The intermediate's basic constraints are not critical.", authority(w.root, "Acme Test Not Critical", -1,
		extension(oidBasicConstraints, false, struct{ CA bool }{true})))
	all[len(all)-1].Difference = "notation-go does not look whether basic constraints are critical, as the specification asks."
	under("ca-usage-absent", "The intermediate has no key usage.", authority(w.root, "Acme Test Usage Absent", -1, keyUsage(0)))
	under("ca-usage-other", "The intermediate's key usage is without keyCertSign.", authority(w.root, "Acme Test Usage Other", -1,
		keyUsage(x509.KeyUsageDigitalSignature|x509.KeyUsageCRLSign)))
	under("ca-usage-not-critical", "The intermediate's key usage is not critical.", authority(w.root, "Acme Test Usage Lax", -1,
		extension(oidKeyUsage, false, asn1.BitString{Bytes: []byte{0x06}, BitLength: 7})))
	under("path-too-long", "An authority of path length 0 has another below it.",
		authority(authority(w.root, "Acme Test Short", 0), "Acme Test Too Deep", -1))
	under("path-too-long-root", "The root allows no intermediate.",
		authority(authority(nil, "Acme Test Short Root", 0), "Acme Test Under Short Root", -1))

	root := authority(nil, "Acme Test RSA Root", -1)
	sha1 := issue(nil, rsaKey(3072), "Acme Test RSA Root", asAuthority(-1))
	under("sha1-intermediate", "The intermediate is signed with SHA-1.", issue(sha1, p256(), "Acme Test SHA-1 Intermediate",
		asAuthority(0), signedWith(x509.SHA1WithRSA)))
	under("sha1-root", "The root is signed with SHA-1.", issue(nil, rsaKey(3072), "Acme Test SHA-1 Root", asAuthority(-1),
		signedWith(x509.SHA1WithRSA)))
	leafSHA1 := leaf(sha1, p256(), signedWith(x509.SHA1WithRSA))
	arranged("sha1-leaf", "The leaf is signed with SHA-1.", leafSHA1, leafSHA1.chain(), trusting(store("ca", sha1.cert)))
	leafECSHA1 := leaf(root, p256(), signedWith(x509.ECDSAWithSHA1))
	arranged("sha1-leaf-ecdsa", "The leaf is signed with SHA-1 and ECDSA.", leafECSHA1, leafECSHA1.chain(),
		trusting(store("ca", root.cert)))
	return all
}

// leafCases break what a certificate may be to sign code.
func (w *world) leafCases() []*fixture {
	var all []*fixture
	broken := func(name, what string, signer *identity, edits ...func(*fixture)) {
		all = append(all, w.fixture(name, what, certificateBad, w.changed(formatJWS, signer, func(r *recipe) {
			r.byHand = true
		}), edits...))
	}
	of := func(name, what string, edits ...edit) {
		broken("leaf-"+name, what, leaf(w.root, p256(), edits...))
	}
	last := func() *fixture { return all[len(all)-1] }
	of("usage-absent", "The leaf has no key usage.", keyUsage(0))
	of("usage-not-critical", "The leaf's key usage is not critical.",
		extension(oidKeyUsage, false, asn1.BitString{Bytes: []byte{0x80}, BitLength: 1}))
	of("usage-without-signature", "The leaf's key usage is only contentCommitment.", keyUsage(x509.KeyUsageContentCommitment))
	for _, each := range []struct {
		name  string
		usage x509.KeyUsage
	}{
		{"keyEncipherment", x509.KeyUsageKeyEncipherment},
		{"dataEncipherment", x509.KeyUsageDataEncipherment},
		{"keyAgreement", x509.KeyUsageKeyAgreement},
		{"keyCertSign", x509.KeyUsageCertSign},
		{"cRLSign", x509.KeyUsageCRLSign},
		{"encipherOnly", x509.KeyUsageEncipherOnly},
		{"decipherOnly", x509.KeyUsageDecipherOnly},
	} {
		of("usage-"+each.name, "The leaf's key usage has "+each.name+", too.", keyUsage(x509.KeyUsageDigitalSignature|each.usage))
	}
	for _, each := range []struct {
		name  string
		usage x509.ExtKeyUsage
	}{
		{"any", x509.ExtKeyUsageAny},
		{"serverAuth", x509.ExtKeyUsageServerAuth},
		{"clientAuth", x509.ExtKeyUsageClientAuth},
		{"emailProtection", x509.ExtKeyUsageEmailProtection},
		{"timeStamping", x509.ExtKeyUsageTimeStamping},
		{"OCSPSigning", x509.ExtKeyUsageOCSPSigning},
	} {
		of("eku-"+each.name, "The leaf's extended key usage has "+each.name+", too.",
			extKeyUsage(x509.ExtKeyUsageCodeSigning, each.usage))
		if each.name == "any" {
			last().Difference = "notation-go takes anyExtendedKeyUsage, which the specification forbids."
		}
	}
	of("is-authority", "The leaf is an authority.", func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true })
	root := authority(nil, "release", -1)
	broken("root-signs", "The root itself signs.", root)
	broken("self-signed-authority", "A self-signed leaf that is an authority, with digitalSignature.",
		authority(nil, "release", -1, keyUsage(x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign)))
	broken("rsa-1024", "An RSA key of 1024 bits.", leaf(w.root, rsaKey(1024)))
	broken("rsa-2560", "An RSA key of 2560 bits, which the specification does not list.", leaf(w.root, rsaKey(2560)))
	broken("p-224", "A P-224 key.", leaf(w.root, ec(elliptic.P224())))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	broken("ed25519", "An Ed25519 key.", leaf(w.root, crypto.Signer(edKey)))

	// The self-signed leaf stands for its own root, so that its signature matters like any other.
	forged := leaf(nil, p256())
	bytes := slices.Clone(forged.cert.Raw)
	bytes[len(bytes)-3] ^= 1
	bad := must(x509.ParseCertificate(bytes))
	all = append(all, w.fixture("self-signed-forged", "A self-signed leaf whose signature is altered.", certificateBad,
		w.changed(formatJWS, forged, func(r *recipe) { r.byHand, r.chain = true, []*x509.Certificate{bad} }),
		trusting(store("ca", forged.cert))))
	selfIssued := issue(w.root, p256(), "Acme Test Root", asLeaf)
	all = append(all, w.fixture("self-issued-not-signed", "A leaf alone that names itself as issuer and is not self-signed.",
		certificateBad, w.changed(formatJWS, selfIssued, func(r *recipe) {
			r.byHand, r.chain = true, selfIssued.chain()[:1]
		}), trusting(store("ca", w.root.cert))))
	return all
}
