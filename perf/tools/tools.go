//go:build tools

// Package tools pins the programs that tests and benchmarks run against. Nothing compiles this file; its imports keep
// `go mod tidy` from dropping the two modules, and go.sum then fixes every byte that they are built from.
//
// A module of our own, rather than `go install github.com/nats-io/natscli/nats@v0.4.0`: that form asks the module
// proxy for a list of versions, fails where the proxy keeps no such list, and pins no dependency by hash.
package tools

import (
	_ "github.com/nats-io/nats-server/v2"
	_ "github.com/nats-io/natscli/nats"
)
