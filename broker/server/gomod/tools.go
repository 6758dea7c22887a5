//go:build tools

// Package tools pins the nats-server that the broker builds when no binary can be found or fetched: the import keeps
// the requirement in go.mod, and go.sum holds the sums of everything that the build reads.
package tools

import _ "github.com/nats-io/nats-server/v2"
