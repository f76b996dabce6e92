package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

var base64url = base64.RawURLEncoding

// flattened is the one serialization that Notation allows.
type flattened struct {
	Payload   string          `json:"payload"`
	Protected string          `json:"protected"`
	Header    json.RawMessage `json:"header,omitempty"`
	Signature string          `json:"signature"`
}

func (r recipe) signJWS(alg string, headers members, unprotected *members) []byte {
	protected := headers.json()
	if r.sealed != nil {
		protected = r.sealed(protected)
	}
	envelope := flattened{Payload: base64url.EncodeToString(r.payload), Protected: base64url.EncodeToString(protected)}
	raw := signRaw(alg, r.key, []byte(envelope.Protected+"."+envelope.Payload))
	if r.resign != nil {
		raw = r.resign(raw)
	}
	if r.token != nil {
		unprotected.set(labelToken, r.token(raw))
	}
	envelope.Signature = base64url.EncodeToString(raw)
	envelope.Header = unprotected.json()
	return must(json.Marshal(envelope))
}

func (m members) json() []byte {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, each := range m {
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(must(json.Marshal(each.label)))
		text.WriteByte(':')
		text.Write(must(json.Marshal(each.value)))
	}
	text.WriteByte('}')
	return text.Bytes()
}

// editJWS edits an envelope as a tree.
func editJWS(apply func(envelope map[string]any)) func([]byte) []byte {
	return func(text []byte) []byte {
		var envelope map[string]any
		check(json.Unmarshal(text, &envelope))
		apply(envelope)
		return must(json.Marshal(envelope))
	}
}

// flipped alters one bit of base64url text, in the middle.
func flipped(text any) string {
	content := must(base64url.DecodeString(text.(string)))
	content[len(content)/2] ^= 1
	return base64url.EncodeToString(content)
}

func jwsWithToken(text []byte, token func([]byte) []byte) []byte {
	return editJWS(func(envelope map[string]any) {
		signature := must(base64url.DecodeString(envelope["signature"].(string)))
		envelope["header"].(map[string]any)[labelToken] = token(signature)
	})(text)
}
