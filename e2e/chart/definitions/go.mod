// The definitions that others serve, of whose kinds the chart makes objects.
module refwarden.dev/e2e/definitions

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
