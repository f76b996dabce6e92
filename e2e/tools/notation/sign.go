package main

import (
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	orasregistry "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
)

// makeKeys writes root.pem, chain.pem and key.pem. The subject is C=US, ST=WA, O=Acme, CN=NAME.
func makeKeys(directory string, names []string) error {
	name := "release"
	if len(names) > 0 {
		name = names[0]
	}
	root := authority(nil, "Acme Test Root", -1)
	signs := issue(root, ec(elliptic.P256()), name, asLeaf)
	key := must(x509.MarshalPKCS8PrivateKey(signs.key))
	for file, content := range map[string][]byte{
		"root.pem":  toPEM(root.cert),
		"chain.pem": toPEM(signs.chain()...),
		"key.pem":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := os.WriteFile(filepath.Join(directory, file), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// signImage signs as notation sign does, by the same library, and pushes the signature next to the image.
func signImage(args []string) error {
	flags := flag.NewFlagSet("sign", flag.ContinueOnError)
	key := flags.String("key", "", "PEM file of the private key")
	chain := flags.String("chain", "", "PEM file of the certificates, from the leaf to the root")
	format := flags.String("format", formatJWS, "jws or cose")
	expiry := flags.Duration("expiry", 0, "after which the signature does not count")
	plainHTTP := flags.Bool("plain-http", false, "no TLS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || mediaTypes[*format] == "" {
		return errors.New("usage: notation sign --key FILE --chain FILE [--format jws|cose] [--expiry DURATION] [--plain-http] REFERENCE")
	}
	signs, err := signer.NewGenericSignerFromFiles(*key, *chain)
	if err != nil {
		return err
	}
	reference, err := orasregistry.ParseReference(flags.Arg(0))
	if err != nil {
		return err
	}
	repository := &remote.Repository{Reference: reference, PlainHTTP: *plainHTTP}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	target, err := notation.Sign(ctx, signs, registry.NewRepository(repository), notation.SignOptions{
		ArtifactReference: reference.Reference,
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: mediaTypes[*format], ExpiryDuration: *expiry},
	})
	if err != nil {
		return err
	}
	fmt.Println(target.Digest)
	return nil
}
