package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Nothing listens there: whoever verifies maps these URLs to files.
const (
	crlURL             = "http://crl.notation.test/acme.crl"
	intermediateCrlURL = "http://crl.notation.test/root.crl"
	ocspURL            = "http://ocsp.notation.test/acme"
)

var oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

func crlAt(urls ...string) edit {
	return func(c *x509.Certificate) { c.CRLDistributionPoints = urls }
}

func ocspAt(urls ...string) edit {
	return func(c *x509.Certificate) { c.OCSPServer = urls }
}

type crlEdit func(*x509.RevocationList)

// crl is a list by its issuer, DER.
func crl(issuer *identity, edits ...crlEdit) []byte {
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: longAgo, NextUpdate: listsUntil}
	for _, apply := range edits {
		apply(template)
	}
	return must(x509.CreateRevocationList(rand.Reader, template, issuer.cert, issuer.key))
}

func revoking(cert *x509.Certificate, reason int, extensions ...pkix.Extension) crlEdit {
	return func(list *x509.RevocationList) {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber:    cert.SerialNumber,
			RevocationTime:  lapsed,
			ReasonCode:      reason,
			ExtraExtensions: extensions,
		})
	}
}

func updated(this, next time.Time) crlEdit {
	return func(list *x509.RevocationList) { list.ThisUpdate, list.NextUpdate = this, next }
}

func crlExtension(id asn1.ObjectIdentifier, critical bool, value any) crlEdit {
	return func(list *x509.RevocationList) {
		list.ExtraExtensions = append(list.ExtraExtensions, pkix.Extension{
			Id: id, Critical: critical, Value: must(asn1.Marshal(value)),
		})
	}
}

func invalidSince(at time.Time) pkix.Extension {
	return pkix.Extension{Id: oidInvalidityDate, Value: must(asn1.MarshalWithParams(at.UTC(), "generalized"))}
}

// response is an OCSP response, DER.
type response struct {
	status     int
	about      *identity
	responder  *identity
	nextUpdate time.Time
	extensions []pkix.Extension
}

func (r response) der() []byte {
	issuer := r.about.issuer
	responder := r.responder
	if responder == nil {
		responder = issuer
	}
	next := r.nextUpdate
	if next.IsZero() {
		next = listsUntil
	}
	template := ocsp.Response{
		Status:          r.status,
		SerialNumber:    r.about.cert.SerialNumber,
		ThisUpdate:      longAgo,
		NextUpdate:      next,
		ExtraExtensions: r.extensions,
	}
	if r.status == ocsp.Revoked {
		template.RevokedAt = lapsed
		template.RevocationReason = ocsp.KeyCompromise
	}
	if responder.cert != issuer.cert {
		template.Certificate = responder.cert
	}
	return must(ocsp.CreateResponse(issuer.cert, responder.cert, template, responder.key))
}

// cannedServer answers from files in place of the network: by the URL of a certificate, with an OCSP request behind it or
// in the body.
type cannedServer map[string][]byte

func (s cannedServer) RoundTrip(request *http.Request) (*http.Response, error) {
	url := request.URL.String()
	for known, body := range s {
		if url == known || strings.HasPrefix(url, known+"/") {
			return &http.Response{
				StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
				Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: request,
			}, nil
		}
	}
	return nil, errors.New("no such host")
}
