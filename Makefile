# Parapet's commands. Each sets up what it needs first and is safe to run again.
.DEFAULT_GOAL := help
.PHONY: help setup demo test walk lint bench eval

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

setup: ## Debian packages, ONNX Runtime, demo pictures, operator page
	@.ci/setup

demo: setup ## build and run the demo: page at http://127.0.0.1:8080
	cargo build -p parapet-cli
	target/debug/parapet demo $(DEMO_FLAGS)

test: setup ## lints and all tests
	.ci/test

walk: setup ## from a live incident to a closed case with a printed order, in headless Chromium
	cargo build -p parapet-cli
	cd crates/center/ui && node e2e/walk.mjs "$(CURDIR)/target/debug/parapet"

lint: ## formatting and clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: setup ## end-to-end figures of benches/README.md
	cargo build --release -p parapet-cli
	benches/run
	target/release/parapet bench --pipeline benches/pipelines/vtest-416.toml --clip .cache/bench/vtest-1080p25.mp4
	target/release/parapet bench --pipeline benches/pipelines/vtest-640.toml --clip .cache/bench/vtest-1080p25.mp4

eval: setup ## figures of benches/ACCURACY.md, and their page in .cache/eval/report
	cargo build -p parapet-cli
	target/debug/parapet scenario make fixtures/scenarios/composite/*.toml --out .cache/scenarios
	target/debug/parapet eval --plan benches/accuracy/plan.toml --skip-missing --report .cache/eval/report --markdown benches/ACCURACY.md
	-JOBS=2 fixtures/compound/make test
	benches/accuracy/roofs >> benches/ACCURACY.md
