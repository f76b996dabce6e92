package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/notaryproject/notation-core-go/signature"
)

// headerCases are about what is signed beside the payload.
func (w *world) headerCases() []*fixture {
	var all []*fixture
	add := func(some ...*fixture) { all = append(all, some...) }
	edited := func(name, what, expected string, apply func(*members), edits ...func(*fixture)) {
		add(w.both(name, what, expected, w.release, func(r *recipe) { r.protected = apply }, edits...)...)
	}
	authority := func(name, what, expected string, apply func(*members), edits ...func(*fixture)) {
		add(w.both(name, what, expected, w.release, func(r *recipe) {
			r.scheme, r.protected = schemeAuthority, apply
		}, edits...)...)
	}
	onlyCOSE := func(f *fixture) {
		if f.recipe.format == formatCOSE {
			f.Difference = "notation-go looks for the time of the other scheme only in JWS; the specification forbids it in both."
		}
	}
	without := func(label string) func(*members) {
		return func(m *members) { m.remove(label) }
	}
	crit := func(labels ...any) func(*members) {
		return func(m *members) { m.set("crit", labels) }
	}
	edited("crit-missing", "No crit.", payloadInvalid, without("crit"))
	edited("crit-empty", "An empty crit.", payloadInvalid, crit())
	edited("crit-without-scheme", "crit does not list the signing scheme.", payloadInvalid, func(m *members) {
		m.set(extendedLabel, "4711")
		m.set("crit", []any{extendedLabel})
	})
	edited("crit-absent-header", "crit lists a header that is not there.", payloadInvalid, crit(labelScheme, claimedButAbsent))
	edited("crit-unknown", "crit lists an attribute that nobody here knows.", formatUnsupported, func(m *members) {
		m.set(unknownLabel, "4711")
		m.set("crit", []any{labelScheme, unknownLabel})
	}, differs("notation-go leaves critical attributes to a plugin and, without one, lets them pass; the specification has the verifier fail."))
	add(w.both("crit-without-expiry", "crit does not list the expiry.", payloadInvalid, w.release, func(r *recipe) {
		r.expiry, r.protected = farAhead, crit(labelScheme)
	})...)
	authority("crit-without-authentic-time", "crit does not list the authentic time of signing.", payloadInvalid, crit(labelScheme))
	add(w.both("plugin", "A critical attribute names a verification plugin.", formatUnsupported, w.release, func(r *recipe) {
		r.attributes = []signature.Attribute{{Key: labelPlugin, Value: "com.acme.plugin", Critical: true}}
	})...)
	edited("scheme-missing", "No signing scheme.", payloadInvalid, func(m *members) {
		m.remove(labelScheme)
		m.set(extendedLabel, "4711")
		m.set("crit", []any{extendedLabel})
	})
	edited("scheme-unknown", "A signing scheme that does not exist.", payloadInvalid, func(m *members) {
		m.set(labelScheme, "notary.x509.v2")
	})
	edited("time-missing", "No time of signing.", payloadInvalid, without(labelTime))
	edited("both-times", "Scheme notary.x509 with an authentic time of signing beside its own.", payloadInvalid, func(m *members) {
		m.set(labelAuthentic, signedAt)
		m.set("crit", []any{labelScheme, labelAuthentic})
	}, onlyCOSE)
	edited("authentic-time-only", "Scheme notary.x509 with an authentic time of signing in place of its own.", payloadInvalid,
		func(m *members) {
			m.remove(labelTime)
			m.set(labelAuthentic, signedAt)
		})
	authority("authority-both-times", "A signing authority with a plain time of signing, too.", payloadInvalid,
		func(m *members) { m.set(labelTime, signedAt) }, onlyCOSE)
	authority("authority-time-missing", "A signing authority without authentic time of signing.", payloadInvalid, func(m *members) {
		m.remove(labelAuthentic)
		m.set("crit", []any{labelScheme})
	})
	authority("authority-plain-time", "A signing authority with a plain time of signing instead.", payloadInvalid,
		func(m *members) {
			m.remove(labelAuthentic)
			m.set(labelTime, signedAt)
			m.set("crit", []any{labelScheme})
		})
	add(w.both("expiry-before-signing", "The expiry is before the time of signing.", payloadInvalid, w.release, func(r *recipe) {
		r.expiry, r.signingTime, r.byHand = farAhead.AddDate(-1, 0, 0), farAhead, true
	})...)
	edited("content-type-other", "Another type of content.", payloadInvalid, func(m *members) { m.set("cty", "application/json") })
	edited("content-type-missing", "No type of content.", payloadInvalid, without("cty"))
	edited("content-type-case", "The type of content in other case.", payloadInvalid, func(m *members) {
		m.set("cty", strings.ToUpper(payloadType))
	})
	add(w.fixture("time-not-rfc3339", "The time of signing is no RFC 3339.", payloadInvalid,
		w.changed(formatJWS, w.release, func(r *recipe) {
			r.protected = func(m *members) { m.set(labelTime, "15 January 2026") }
		})))
	add(w.fixture("expiry-as-number", "The expiry is a number.", payloadInvalid,
		w.changed(formatJWS, w.release, func(r *recipe) {
			r.expiry = farAhead
			r.protected = func(m *members) { m.set(labelExpiry, farAhead.Unix()) }
		})))
	add(w.fixture("expiry-null", "The expiry is null.", payloadInvalid, w.changed(formatJWS, w.release, func(r *recipe) {
		r.expiry = farAhead
		r.protected = func(m *members) { m.set(labelExpiry, nil) }
	})))
	return all
}

// payloadCases are properly signed and about something else.
func (w *world) payloadCases() []*fixture {
	var all []*fixture
	target := func(name, what, expected string, change func(*descriptor), edits ...func(*fixture)) {
		all = append(all, w.both(name, what, expected, w.release, func(r *recipe) {
			other := w.image
			change(&other)
			r.payload = payloadOf(other)
		}, edits...)...)
	}
	payload := func(name, what, expected string, bytes []byte, edits ...func(*fixture)) {
		all = append(all, w.both(name, what, expected, w.release, func(r *recipe) {
			r.payload, r.byHand = bytes, true
		}, edits...)...)
	}
	target("other-digest", "Another digest is signed.", subjectMismatch, func(d *descriptor) {
		d.Digest = digestOf([]byte("another image"))
	})
	target("other-size", "The digest is right, the size is not.", subjectMismatch, func(d *descriptor) { d.Size++ })
	target("other-media-type", "The digest is right, the media type is not.", subjectMismatch, func(d *descriptor) {
		d.MediaType = "application/vnd.docker.distribution.manifest.v2+json"
	})
	all = append(all, w.fixture("index-for-image", "The index is signed, not the image.", subjectMismatch,
		w.changed(formatJWS, w.release, func(r *recipe) { r.payload = payloadOf(w.index) })))
	payload("no-target", "The payload has no target.", payloadInvalid, []byte(`{"artifact":{}}`))
	payload("target-null", "The target is null.", payloadInvalid, []byte(`{"targetArtifact":null}`))
	payload("payload-not-json", "The payload is no JSON.", payloadInvalid, []byte("sha256:0000"))
	payload("payload-list", "The payload is a list.", payloadInvalid, append(append([]byte{'['}, payloadOf(w.image)...), ']'))
	payload("payload-empty", "The payload is empty.", payloadInvalid, []byte{})
	double := append([]byte(`{"targetArtifact":`+string(must(json.Marshal(w.index)))+`,`), payloadOf(w.image)[1:]...)
	payload("two-targets", "The payload has two targets, of which the second is right.", payloadInvalid, double,
		differs("notation-go takes the last of two members of a name; readers that take the first would see another target."))
	payload("target-case", "The payload writes targetArtifact in other case.", payloadInvalid,
		bytes.Replace(payloadOf(w.image), []byte("targetArtifact"), []byte("TARGETARTIFACT"), 1),
		differs("notation-go reads JSON names without regard to case."))
	return all
}
