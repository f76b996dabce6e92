package main

import (
	"time"

	"github.com/fxamacker/cbor/v2"
)

// coseLabels are those of RFC 9052 and RFC 9360.
var coseLabels = map[string]int{"alg": 1, "crit": 2, "cty": 3, "x5c": 33}

// sign1 is COSE_Sign1 of RFC 9052 without its tag.
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected cbor.RawMessage
	Payload     []byte
	Signature   []byte
}

const coseSign1Tag = 18

func (r recipe) signCOSE(alg string, headers members, unprotected *members) []byte {
	protected := headers.cbor()
	if r.sealed != nil {
		protected = r.sealed(protected)
	}
	raw := signRaw(alg, r.key, toBeSigned(protected, []byte{}, r.payload))
	if r.resign != nil {
		raw = r.resign(raw)
	}
	if r.token != nil {
		unprotected.set(labelToken, r.token(raw))
	}
	return tagged(coseSign1Tag, sign1{
		Protected: protected, Unprotected: unprotected.cbor(), Payload: r.payload, Signature: raw,
	})
}

// toBeSigned is Sig_structure of RFC 9052, section 4.4.
func toBeSigned(protected, external, payload []byte) []byte {
	return must(cbor.Marshal([]any{"Signature1", protected, external, payload}))
}

func tagged(number uint64, content any) []byte {
	return must(cbor.Marshal(cbor.Tag{Number: number, Content: content}))
}

// cbor writes a map of definite length in the order of the members.
func (m members) cbor() []byte {
	text := cborHead(0xa0, len(m))
	for _, each := range m {
		text = append(text, must(cbor.Marshal(coseLabel(each.label)))...)
		text = append(text, coseValue(each)...)
	}
	return text
}

func cborHead(major byte, length int) []byte {
	if length < 24 {
		return []byte{major | byte(length)}
	}
	return []byte{major | 24, byte(length)}
}

func coseLabel(label any) any {
	if name, ok := label.(string); ok {
		if number, ok := coseLabels[name]; ok {
			return number
		}
	}
	return label
}

func coseValue(each member) []byte {
	value := each.value
	switch typed := value.(type) {
	case time.Time:
		return must(cbor.Marshal(cbor.Tag{Number: 1, Content: typed.Unix()}))
	case string:
		if each.label == "alg" {
			value = algorithms[typed].cose
		}
	}
	return must(cbor.Marshal(value))
}

// editCOSE edits an envelope behind its tag.
func editCOSE(apply func(envelope *sign1)) func([]byte) []byte {
	return func(bytes []byte) []byte {
		envelope := parseCOSE(bytes)
		apply(&envelope)
		return tagged(coseSign1Tag, envelope)
	}
}

func parseCOSE(bytes []byte) sign1 {
	var tag cbor.RawTag
	check(cbor.Unmarshal(bytes, &tag))
	var envelope sign1
	check(cbor.Unmarshal(tag.Content, &envelope))
	return envelope
}

func coseWithToken(bytes []byte, token func([]byte) []byte) []byte {
	return editCOSE(func(envelope *sign1) {
		var headers map[any]cbor.RawMessage
		check(cbor.Unmarshal(envelope.Unprotected, &headers))
		headers[labelToken] = must(cbor.Marshal(token(envelope.Signature)))
		envelope.Unprotected = must(cbor.Marshal(headers))
	})(bytes)
}

func withToken(format string, envelope []byte, token func([]byte) []byte) []byte {
	if format == formatJWS {
		return jwsWithToken(envelope, token)
	}
	return coseWithToken(envelope, token)
}
