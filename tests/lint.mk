# make lint: the sources as they lie; LINT names single checks.
lint:
	@$(PYTHON) tests/lint/lint.py $(LINT)

.PHONY: lint
