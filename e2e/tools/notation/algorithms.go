package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
)

// algorithm of RFC 7518 and RFC 9053, those that Notation allows and those that it must refuse.
type algorithm struct {
	name string
	cose int
	hash crypto.Hash
}

var algorithms = map[string]algorithm{
	"PS256": {"PS256", -37, crypto.SHA256},
	"PS384": {"PS384", -38, crypto.SHA384},
	"PS512": {"PS512", -39, crypto.SHA512},
	"ES256": {"ES256", -7, crypto.SHA256},
	"ES384": {"ES384", -35, crypto.SHA384},
	"ES512": {"ES512", -36, crypto.SHA512},
	"RS256": {"RS256", -257, crypto.SHA256},
	"HS256": {"HS256", 5, crypto.SHA256},
	"EdDSA": {"EdDSA", -8, 0},
	"none":  {"none", 0, 0},
}

// algorithmOf is the one that the Notary Project fixes for a key; for others something near.
func algorithmOf(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch {
		case key.N.BitLen() >= 4096:
			return "PS512"
		case key.N.BitLen() >= 3072:
			return "PS384"
		}
		return "PS256"
	case *ecdsa.PublicKey:
		switch {
		case key.Curve.Params().BitSize > 384:
			return "ES512"
		case key.Curve.Params().BitSize > 256:
			return "ES384"
		}
		return "ES256"
	case ed25519.PublicKey:
		return "EdDSA"
	}
	panic(fmt.Sprintf("no algorithm for %T", key))
}

// signRaw signs as JWS and COSE want it: ECDSA as r and s of fixed length.
func signRaw(name string, key crypto.Signer, message []byte) []byte {
	alg := algorithms[name]
	switch name {
	case "none":
		return nil
	case "EdDSA":
		return must(key.Sign(rand.Reader, message, crypto.Hash(0)))
	case "HS256":
		// The classic attack: the public key, which everybody has, as the secret.
		mac := hmac.New(alg.hash.New, publicPEM(key))
		mac.Write(message)
		return mac.Sum(nil)
	}
	hash := alg.hash.New()
	hash.Write(message)
	digest := hash.Sum(nil)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if name == "RS256" {
			return must(rsa.SignPKCS1v15(rand.Reader, key, alg.hash, digest))
		}
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return must(rsa.SignPSS(rand.Reader, key, alg.hash, digest, options))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		check(err)
		size := (key.Curve.Params().BitSize + 7) / 8
		raw := make([]byte, 2*size)
		r.FillBytes(raw[:size])
		s.FillBytes(raw[size:])
		return raw
	}
	panic(fmt.Sprintf("%s does not sign with %T", name, key))
}
