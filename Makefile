# Parapet's commands. Each sets up what it needs first and is safe to run again.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

setup: ## Debian packages, ONNX Runtime, demo pictures, operator page
	@.ci/setup

demo: setup ## build and run the demo: page at http://127.0.0.1:8080
	cargo build -p parapet-cli
	target/debug/parapet demo $(DEMO_FLAGS)

test: setup ## lints and all tests
	.ci/test

lint: ## formatting and clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: setup ## figures of benches/README.md
	cargo build --release -p parapet-cli
	benches/run
