# make lint: the sources as they lie; ONLY="style banned" picks some.
lint:
	@$(PYTHON) tests/lint/lint.py $(ONLY)

.PHONY: lint
