package main

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"

	"github.com/fxamacker/cbor/v2"
)

// signatureCases break what holds an envelope together, in either format.
func (w *world) signatureCases() []*fixture {
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }
	rsa := leaf(w.root, rsaKey(2048))
	namesake := leaf(w.root, p256())

	add(w.both("other-key", "Signed by another key than that of the leaf.", signatureInvalid, w.release, func(r *recipe) {
		r.byHand, r.key = true, namesake.key
	})...)
	add(w.both("signature-der", "The ECDSA signature is DER, not r and s.", signatureInvalid, w.release, func(r *recipe) {
		r.resign = asDER
	})...)
	add(w.both("signature-empty", "The signature is empty.", payloadInvalid, w.release, func(r *recipe) {
		r.resign = func([]byte) []byte { return []byte{} }
	})...)
	add(w.both("signature-zero", "The ECDSA signature is r = 0, s = 0.", signatureInvalid, w.release, func(r *recipe) {
		r.resign = func(raw []byte) []byte { return make([]byte, len(raw)) }
	})...)
	add(w.both("alg-ps384-of-2048", "alg PS384 for an RSA key of 2048 bits.", signatureInvalid, rsa, func(r *recipe) {
		r.alg = "PS384"
	})...)
	add(w.both("alg-rs256", "alg RS256, which Notation does not allow.", signatureInvalid, rsa, func(r *recipe) {
		r.alg = "RS256"
	})...)
	add(w.both("alg-es384-of-p256", "alg ES384 for a P-256 key.", signatureInvalid, w.release, func(r *recipe) {
		r.alg = "ES384"
	})...)
	add(w.both("alg-hmac", "alg HS256 with the public key as secret.", signatureInvalid, rsa, func(r *recipe) {
		r.alg = "HS256"
	})...)
	add(w.both("alg-missing", "No alg.", payloadInvalid, w.release, func(r *recipe) {
		r.protected = func(m *members) { m.remove("alg") }
	})...)
	add(w.fixture("signature-tampered", "The signature is altered by a bit.", signatureInvalid,
		w.changed(formatJWS, w.release, func(r *recipe) {
			r.finish = editJWS(func(e map[string]any) { e["signature"] = flipped(e["signature"]) })
		})))
	add(w.fixture("payload-tampered", "The payload is altered by a bit.", signatureInvalid,
		w.changed(formatJWS, w.release, func(r *recipe) {
			r.finish = editJWS(func(e map[string]any) { e["payload"] = otherPayload(e["payload"]) })
		})))
	add(w.fixture("protected-tampered", "The expiry is moved after signing.", signatureInvalid,
		w.changed(formatJWS, w.release, func(r *recipe) {
			r.expiry = lapsed
			r.finish = editJWS(func(e map[string]any) {
				text := must(base64url.DecodeString(e["protected"].(string)))
				e["protected"] = base64url.EncodeToString(bytes.Replace(text, []byte("2026-02-01"), []byte("2096-02-01"), 1))
			})
		})))
	add(w.fixture("signature-tampered", "The signature is altered by a bit.", signatureInvalid,
		w.changed(formatCOSE, w.release, func(r *recipe) {
			r.finish = editCOSE(func(e *sign1) { e.Signature[len(e.Signature)/2] ^= 1 })
		})))
	add(w.fixture("payload-tampered", "The digest in the payload is altered.", signatureInvalid,
		w.changed(formatCOSE, w.release, func(r *recipe) {
			r.finish = editCOSE(func(e *sign1) {
				e.Payload = bytes.Replace(e.Payload, []byte(`"size":`), []byte(`"size":1`), 1)
			})
		})))
	add(w.fixture("protected-tampered", "The expiry is moved after signing.", signatureInvalid,
		w.changed(formatCOSE, w.release, func(r *recipe) {
			r.expiry = lapsed
			r.finish = editCOSE(func(e *sign1) {
				before := must(cbor.Marshal(lapsed.Unix()))
				after := must(cbor.Marshal(lapsed.AddDate(70, 0, 0).Unix()))
				e.Protected = bytes.Replace(e.Protected, before, after, 1)
			})
		})))
	return all
}

func asDER(raw []byte) []byte {
	half := len(raw) / 2
	return must(asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:]),
	}))
}

// otherPayload names one byte more.
func otherPayload(text any) string {
	payload := must(base64url.DecodeString(text.(string)))
	return base64url.EncodeToString(bytes.Replace(payload, []byte(`"size":`), []byte(`"size":1`), 1))
}

// jwsCases are about the serialization of RFC 7515.
func (w *world) jwsCases() []*fixture {
	var all []*fixture
	add := func(name, what, expected string, change func(*recipe), edits ...func(*fixture)) {
		all = append(all, w.fixture(name, what, expected, w.changed(formatJWS, w.release, change), edits...))
	}
	finish := func(name, what, expected string, apply func(e map[string]any), edits ...func(*fixture)) {
		add(name, what, expected, func(r *recipe) { r.finish = editJWS(apply) }, edits...)
	}
	add("alg-none", "alg none and no signature.", payloadInvalid, func(r *recipe) { r.alg = "none" })
	add("alg-none-signed", "alg none, with a signature of what key and algorithm would be.", signatureInvalid,
		func(r *recipe) {
			r.protected = func(m *members) { m.set("alg", "none") }
		})
	finish("general", "General serialization: a list of signatures.", payloadInvalid, func(e map[string]any) {
		e["signatures"] = []any{map[string]any{"protected": e["protected"], "header": e["header"], "signature": e["signature"]}}
		delete(e, "protected")
		delete(e, "header")
		delete(e, "signature")
	})
	finish("general-and-flattened", "General and flattened serialization at once.", payloadInvalid, func(e map[string]any) {
		e["signatures"] = []any{map[string]any{"protected": e["protected"], "header": e["header"], "signature": e["signature"]}}
	}, differs("notation-go does not look at members that it does not know; RFC 7515, section 7.2.2 forbids both at once."))
	add("compact", "Compact serialization.", payloadInvalid, func(r *recipe) {
		r.finish = func(text []byte) []byte {
			var e flattened
			check(json.Unmarshal(text, &e))
			return []byte(e.Protected + "." + e.Payload + "." + e.Signature)
		}
	})
	finish("no-chain", "No certificates.", payloadInvalid, func(e map[string]any) {
		delete(e["header"].(map[string]any), "x5c")
	})
	finish("chain-empty", "An empty list of certificates.", payloadInvalid, func(e map[string]any) {
		e["header"].(map[string]any)["x5c"] = []any{}
	})
	finish("chain-garbage", "The first certificate is none.", certificateBad, func(e map[string]any) {
		chain := e["header"].(map[string]any)["x5c"].([]any)
		chain[0] = base64.StdEncoding.EncodeToString([]byte("not a certificate"))
	})
	finish("no-payload", "No payload.", payloadInvalid, func(e map[string]any) { delete(e, "payload") })
	finish("padded", "The payload's base64url is padded.", payloadInvalid, func(e map[string]any) {
		e["payload"] = e["payload"].(string) + "="
	})
	finish("unprotected-alg", "The unprotected header names an algorithm, too.", payloadInvalid, func(e map[string]any) {
		e["header"].(map[string]any)["alg"] = "none"
	}, differs("notation-go does not look at members that it does not know; RFC 7515, section 7.2.1 forbids a name in both headers."))
	add("duplicate-member", "The envelope has two payloads, of which the second is signed.", payloadInvalid, func(r *recipe) {
		r.finish = func(text []byte) []byte {
			other := payloadOf(w.index)
			return append([]byte(`{"payload":"`+base64url.EncodeToString(other)+`",`), text[1:]...)
		}
	}, differs("notation-go takes the last of two members of a name; readers that take the first would see another target."))
	add("duplicate-header", "The protected header has two expiries, of which the second is good.", payloadInvalid,
		func(r *recipe) {
			r.expiry = farAhead
			r.protected = func(m *members) { *m = append(members{{labelExpiry, lapsed}}, *m...) }
		}, differs("notation-go takes the last of two members of a name; RFC 7515, section 4 allows to refuse."))
	add("header-case", "The protected header writes the scheme in other case.", payloadInvalid, func(r *recipe) {
		r.protected = func(m *members) {
			(*m)[m.index(labelScheme)].label = "IO.CNCF.NOTARY.signingScheme"
		}
	}, differs("notation-go reads JSON names without regard to case; RFC 7515, section 4 compares them exactly."))
	add("trailing", "Text follows the envelope.", payloadInvalid, func(r *recipe) {
		r.finish = func(text []byte) []byte { return append(text, "{}"...) }
	})
	add("not-json", "No JSON.", payloadInvalid, func(r *recipe) {
		r.finish = func([]byte) []byte { return []byte("signed, honestly") }
	})
	add("protected-not-json", "The protected header is no JSON.", payloadInvalid, func(r *recipe) {
		r.sealed = func([]byte) []byte { return []byte("alg: ES256") }
	})
	add("unencoded-payload", "The payload is not encoded, as RFC 7797 has it (b64 false, critical).", payloadInvalid,
		func(r *recipe) {
			r.protected = func(m *members) {
				m.set("b64", false)
				m.set("crit", []any{labelScheme, "b64"})
			}
		}, differs("notation-go lets critical attributes pass that it does not know."))
	return all
}

// coseCases are about the encoding of RFC 9052.
func (w *world) coseCases() []*fixture {
	var all []*fixture
	add := func(name, what, expected string, change func(*recipe), edits ...func(*fixture)) {
		all = append(all, w.fixture(name, what, expected, w.changed(formatCOSE, w.release, change), edits...))
	}
	finish := func(name, what, expected string, apply func([]byte) []byte, edits ...func(*fixture)) {
		add(name, what, expected, func(r *recipe) { r.finish = apply }, edits...)
	}
	finish("untagged", "COSE_Sign1 without its tag.", payloadInvalid, func(envelope []byte) []byte { return envelope[1:] })
	finish("other-tag", "Tagged as COSE_Mac0 (17).", payloadInvalid, func(envelope []byte) []byte {
		return tagged(17, parseCOSE(envelope))
	})
	finish("tagged-twice", "Tag 18 around tag 18.", payloadInvalid, func(envelope []byte) []byte {
		return tagged(coseSign1Tag, cbor.RawMessage(envelope))
	})
	finish("trailing", "Bytes follow the envelope.", payloadInvalid, func(envelope []byte) []byte { return append(envelope, 0xf6) })
	finish("truncated", "The last byte is missing.", payloadInvalid, func(envelope []byte) []byte {
		return envelope[:len(envelope)-1]
	})
	finish("five-parts", "A list of five.", payloadInvalid, func(envelope []byte) []byte {
		e := parseCOSE(envelope)
		return tagged(coseSign1Tag, []any{e.Protected, e.Unprotected, e.Payload, e.Signature, []byte{}})
	})
	finish("detached", "The payload is null: detached.", payloadInvalid, func(envelope []byte) []byte {
		e := parseCOSE(envelope)
		return tagged(coseSign1Tag, []any{e.Protected, e.Unprotected, nil, e.Signature})
	})
	finish("indefinite-list", "The list of parts has an indefinite length.", payloadInvalid, func(envelope []byte) []byte {
		// d2 84 ... becomes d2 9f ... ff.
		return append(append([]byte{envelope[0], 0x9f}, envelope[2:]...), 0xff)
	})
	add("indefinite-headers", "The map of protected headers has an indefinite length.", payloadInvalid, func(r *recipe) {
		r.sealed = func(definite []byte) []byte { return append(append([]byte{0xbf}, definite[1:]...), 0xff) }
	})
	add("duplicate-protected", "The protected headers have two expiries, of which the second is good.", payloadInvalid,
		func(r *recipe) {
			r.expiry = farAhead
			r.protected = func(m *members) { *m = append(members{{labelExpiry, lapsed}}, *m...) }
		})
	add("duplicate-unprotected", "The unprotected headers have two chains.", payloadInvalid, func(r *recipe) {
		r.unprotected = func(m *members) { *m = append(*m, member{"x5c", rawCerts(w.stranger.chain())}) }
	})
	add("label-twice", "alg is in the protected and the unprotected headers.", payloadInvalid, func(r *recipe) {
		r.unprotected = func(m *members) { m.set("alg", "RS256") }
	}, differs("notation-go takes the protected one; RFC 9052, section 3 says that applications should refuse."))
	add("no-chain", "No certificates.", payloadInvalid, func(r *recipe) {
		r.unprotected = func(m *members) { m.remove("x5c") }
	})
	add("chain-empty", "An empty list of certificates.", payloadInvalid, func(r *recipe) {
		r.unprotected = func(m *members) { m.set("x5c", [][]byte{}) }
	})
	add("chain-garbage", "The first certificate is none.", certificateBad, func(r *recipe) {
		r.unprotected = func(m *members) { m.set("x5c", [][]byte{[]byte("not a certificate"), w.root.cert.Raw}) }
	})
	selfSigned := leaf(nil, p256())
	all = append(all, w.fixture("chain-not-a-list", "A single certificate that is not in a list, as RFC 9360 allows.", payloadInvalid,
		w.changed(formatCOSE, selfSigned, func(r *recipe) {
			r.unprotected = func(m *members) { m.set("x5c", selfSigned.cert.Raw) }
		})))
	add("time-untagged", "The time of signing is a number without tag 1.", payloadInvalid, func(r *recipe) {
		r.protected = func(m *members) { m.set(labelTime, signedAt.Unix()) }
	})
	add("time-as-text", "The time of signing is text (tag 0).", payloadInvalid, func(r *recipe) {
		r.protected = func(m *members) {
			m.set(labelTime, cbor.Tag{Number: 0, Content: signedAt.Format("2006-01-02T15:04:05Z07:00")})
		}
	})
	add("expiry-untagged", "The expiry is a number without tag 1.", payloadInvalid, func(r *recipe) {
		r.expiry = farAhead
		r.protected = func(m *members) { m.set(labelExpiry, farAhead.Unix()) }
	})
	add("expiry-untagged-past", "An expiry in the past, without tag 1, is not overlooked.", payloadInvalid, func(r *recipe) {
		r.expiry = lapsed
		r.protected = func(m *members) { m.set(labelExpiry, lapsed.Unix()) }
	})
	add("no-protected", "The protected headers are empty.", payloadInvalid, func(r *recipe) {
		r.protected = func(m *members) { *m = nil }
	})
	add("external-data", "Signed with external data, which Notation has not.", signatureInvalid, func(r *recipe) {
		key := r.key
		r.byHand = true
		r.finish = editCOSE(func(e *sign1) {
			e.Signature = signRaw("ES256", key, toBeSigned(e.Protected, []byte("external"), e.Payload))
		})
	})
	finish("not-cbor", "No CBOR.", payloadInvalid, func([]byte) []byte {
		return []byte("signed, honestly")
	})
	return all
}
