package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"

	crlfetch "github.com/notaryproject/notation-core-go/revocation/crl"

	"github.com/notaryproject/notation-core-go/revocation"
	"github.com/notaryproject/notation-core-go/revocation/purpose"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const refused = "refused"

// verifyFixtures prints what notation-go says now, by the names of the cases.
func verifyFixtures(directory string) error {
	verdicts, err := verdictsOf(directory)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(indented(verdicts))
	return err
}

func verdictsOf(directory string) (map[string]outcome, error) {
	text, err := os.ReadFile(filepath.Join(directory, "cases.json"))
	if err != nil {
		return nil, err
	}
	var document cases
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	verdicts := map[string]outcome{}
	for _, each := range document.Cases {
		if verdicts[each.Name], err = verdictOf(directory, document.Targets[each.Target], each); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// verdictOf fails only for what is wrong with the fixture; what notation-go says is the outcome.
func verdictOf(directory string, target descriptor, f *fixture) (outcome, error) {
	envelope, err := os.ReadFile(filepath.Join(directory, f.Envelope))
	if err != nil {
		return outcome{}, err
	}
	config, err := os.MkdirTemp("", "notation-")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(config)
	verify, err := verifierFor(directory, config, f)
	if err != nil {
		return outcome{}, err
	}
	wanted := ocispec.Descriptor{
		MediaType: target.MediaType, Digest: digest.Digest(target.Digest), Size: target.Size,
	}
	_, err = verify.Verify(context.Background(), wanted, envelope, notation.VerifierVerifyOptions{
		ArtifactReference:  "registry.acme.test/shop@" + target.Digest,
		SignatureMediaType: f.MediaType,
	})
	if err != nil {
		return outcome{Verdict: refused, Error: err.Error()}, nil
	}
	return outcome{Verdict: accepted}, nil
}

func verifierFor(directory, config string, f *fixture) (notation.Verifier, error) {
	policy := trustpolicy.TrustPolicy{
		Name:              "fixture",
		RegistryScopes:    []string{"*"},
		TrustedIdentities: f.Issuer.TrustedIdentities,
		SignatureVerification: trustpolicy.SignatureVerification{
			VerificationLevel: f.Issuer.Level,
			VerifyTimestamp:   trustpolicy.TimestampOption(f.Issuer.VerifyTimestamp),
		},
	}
	for check, action := range f.Issuer.Override {
		policy.SignatureVerification.Override = map[trustpolicy.ValidationType]trustpolicy.ValidationAction{
			trustpolicy.ValidationType(check): trustpolicy.ValidationAction(action),
		}
	}
	for _, held := range f.Issuer.TrustStores {
		policy.TrustStores = append(policy.TrustStores, held.Type+":"+held.Name)
		if err := installStore(directory, config, held); err != nil {
			return nil, err
		}
	}
	codeSigning, err := revocationOf(directory, f, purpose.CodeSigning)
	if err != nil {
		return nil, err
	}
	timestamping, err := revocationOf(directory, f, purpose.Timestamping)
	if err != nil {
		return nil, err
	}
	document := &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{policy}}
	stores := truststore.NewX509TrustStore(dir.NewSysFS(config))
	return verifier.NewWithOptions(document, stores, nil, verifier.VerifierOptions{
		RevocationCodeSigningValidator: codeSigning, RevocationTimestampingValidator: timestamping,
	})
}

// installStore puts a trust store where notation looks for it.
func installStore(directory, config string, held trustStore) error {
	certs, err := os.ReadFile(filepath.Join(directory, held.Certificates))
	if err != nil {
		return err
	}
	folder := filepath.Join(config, "truststore", "x509", held.Type, held.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "certificates.pem"), certs, 0o644)
}

func revocationOf(directory string, f *fixture, of purpose.Purpose) (revocation.Validator, error) {
	server := cannedServer{}
	for url, file := range f.Revocation {
		body, err := os.ReadFile(filepath.Join(directory, file))
		if err != nil {
			return nil, err
		}
		server[url] = body
	}
	client := &http.Client{Transport: server}
	fetcher, err := crlfetch.NewHTTPFetcher(client)
	if err != nil {
		return nil, err
	}
	return revocation.NewWithOptions(revocation.Options{OCSPHTTPClient: client, CRLFetcher: fetcher, CertChainPurpose: of})
}
