import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

import postern  # noqa: E402


@pytest.fixture
def suite():
    """A running instance with one domain and two users."""
    with postern.Instance() as inst:
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        yield inst
