# An index of verbs: what each one does is written in the script that it calls.
# A word such as AGENCY=... on make's command line reaches the script through its environment.
.PHONY: help run token demo test verify check bench soak openapi stop wipe

help: ## List these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Set up what is missing, build, and serve on LINDUNG_LISTEN (127.0.0.1:8080) until Ctrl-C
	@deploy/development/run.sh

token: ## Print an access token: AGENCY=code [OFFICER=id ROLE=role,role PURPOSE=purpose] [PROOF="GET url"]
	@deploy/development/token.sh

demo: ## Play deploy/demo/story.json against the service, or one that is started for it
	@deploy/development/demo.sh

test: ## Run every test on a PostgreSQL cluster of their own: [ARGS="arguments of cargo test"]
	@deploy/development/test.sh

verify: ## Hold exports of the access log before judges that we did not write, and alter a log a thousand times: [FOLDER=export POLICY=file OLDER=file]
	@deploy/verify/verify.sh

check: ## Check format, lints and dependencies
	@deploy/development/check.sh

bench: ## Measure the API beside the same SQL through pgbench: [CASES=10000]
	@deploy/bench/run.sh

soak: ## Load with kills, and nothing may be lost: [DURATION=60 RATE=200 KILL=10]
	@deploy/soak/run.sh

openapi: ## Write openapi/ anew from the code
	@deploy/development/openapi.sh

stop: ## Stop both PostgreSQL clusters; their data stays
	@deploy/development/stop.sh

wipe: ## Delete both PostgreSQL clusters, keys and credentials: YES=1
	@deploy/development/wipe.sh
