package main

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
)

const (
	payloadType      = "application/vnd.cncf.notary.payload.v1+json"
	schemeX509       = "notary.x509"
	schemeAuthority  = "notary.x509.signingAuthority"
	labelScheme      = "io.cncf.notary.signingScheme"
	labelTime        = "io.cncf.notary.signingTime"
	labelAuthentic   = "io.cncf.notary.authenticSigningTime"
	labelExpiry      = "io.cncf.notary.expiry"
	labelPlugin      = "io.cncf.notary.verificationPlugin"
	labelToken       = "io.cncf.notary.timestampSignature"
	labelAgent       = "io.cncf.notary.signingAgent"
	signingAgent     = "refwarden-fixtures/1.0"
	formatJWS        = "jws"
	formatCOSE       = "cose"
	madeByLibrary    = "notation-core-go"
	madeByHand       = "by hand"
	extendedLabel    = "com.acme.build"
	unknownLabel     = "com.acme.unknown"
	claimedButAbsent = "com.acme.absent"
)

var mediaTypes = map[string]string{formatJWS: jws.MediaTypeEnvelope, formatCOSE: cose.MediaTypeEnvelope}

// recipe is one envelope. What notation-core-go refuses to sign is signed by hand: the same bytes but for the edits.
type recipe struct {
	format      string
	scheme      string
	chain       []*x509.Certificate
	key         crypto.Signer
	signingTime time.Time
	expiry      time.Time
	contentType string
	payload     []byte
	attributes  []signature.Attribute
	// token makes the timestamp over the signature.
	token func(signature []byte) []byte

	// Anything below, and byHand itself, means signing by hand.
	byHand bool
	// alg overrides that of the key.
	alg string
	// protected edits the headers before they are signed.
	protected func(*members)
	// sealed edits the encoding of the protected headers, before it is signed.
	sealed func([]byte) []byte
	// unprotected edits the headers that are not signed.
	unprotected func(*members)
	// resign replaces the raw signature.
	resign func([]byte) []byte
	// finish edits the whole envelope; also of what the library signed.
	finish func([]byte) []byte
}

func (r recipe) sign() (envelope []byte, madeBy string) {
	envelope, madeBy = r.signByLibrary()
	if envelope == nil {
		envelope, madeBy = r.signByHand(), madeByHand
	}
	if r.finish != nil {
		envelope = r.finish(envelope)
	}
	return envelope, madeBy
}

// signByLibrary makes nothing when the recipe has edits or the library refuses it.
func (r recipe) signByLibrary() (bytes []byte, madeBy string) {
	if r.byHand || r.alg != "" || r.protected != nil || r.sealed != nil || r.unprotected != nil || r.resign != nil {
		return nil, ""
	}
	signer, err := signature.NewLocalSigner(r.chain, r.key)
	if err != nil {
		return nil, ""
	}
	bytes, err = must(signature.NewEnvelope(mediaTypes[r.format])).Sign(&signature.SignRequest{
		Payload:                  signature.Payload{ContentType: r.contentType, Content: r.payload},
		Signer:                   signer,
		SigningTime:              r.signingTime,
		Expiry:                   r.expiry,
		ExtendedSignedAttributes: r.attributes,
		SigningAgent:             signingAgent,
		SigningScheme:            signature.SigningScheme(r.scheme),
	})
	if err != nil {
		return nil, ""
	}
	if r.token != nil {
		// The library also verifies a token that it gets, which the broken ones do not stand: it is put in afterwards.
		bytes = withToken(r.format, bytes, r.token)
	}
	return bytes, madeByLibrary
}

func (r recipe) signByHand() []byte {
	alg := r.alg
	if alg == "" {
		alg = algorithmOf(r.key.Public())
	}
	headers := r.protectedHeaders(alg)
	if r.protected != nil {
		r.protected(headers)
	}
	unprotected := &members{{"x5c", rawCerts(r.chain)}, {labelAgent, signingAgent}}
	if r.unprotected != nil {
		r.unprotected(unprotected)
	}
	if r.format == formatJWS {
		return r.signJWS(alg, *headers, unprotected)
	}
	return r.signCOSE(alg, *headers, unprotected)
}

func (r recipe) protectedHeaders(alg string) *members {
	crit := []any{labelScheme}
	headers := &members{{"alg", alg}, {"cty", r.contentType}, {labelScheme, r.scheme}}
	if r.scheme == schemeAuthority {
		headers.set(labelAuthentic, r.signingTime)
		crit = append(crit, labelAuthentic)
	} else {
		headers.set(labelTime, r.signingTime)
	}
	if !r.expiry.IsZero() {
		headers.set(labelExpiry, r.expiry)
		crit = append(crit, labelExpiry)
	}
	for _, attribute := range r.attributes {
		headers.set(attribute.Key.(string), attribute.Value)
		if attribute.Critical {
			crit = append(crit, attribute.Key)
		}
	}
	headers.set("crit", crit)
	return headers
}

// member is a header by its JWS name; COSE has numbers for some of them.
type member struct {
	label any
	value any
}

// members keep order and duplicates.
type members []member

func (m *members) set(label, value any) {
	if i := m.index(label); i >= 0 {
		(*m)[i].value = value
		return
	}
	*m = append(*m, member{label, value})
}

func (m *members) remove(label any) {
	*m = slices.DeleteFunc(*m, func(each member) bool { return each.label == label })
}

func (m *members) index(label any) int {
	return slices.IndexFunc(*m, func(each member) bool { return each.label == label })
}

func rawCerts(certs []*x509.Certificate) [][]byte {
	raw := make([][]byte, len(certs))
	for i, cert := range certs {
		raw[i] = cert.Raw
	}
	return raw
}

func publicPEM(key crypto.Signer) []byte {
	der := must(x509.MarshalPKIXPublicKey(key.Public()))
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// descriptor is the target of a signature.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func payloadOf(target descriptor) []byte {
	return must(json.Marshal(map[string]descriptor{"targetArtifact": target}))
}
