"""What the tests of e2e/ and fault/ share; their conftest.py imports it."""

import pytest

import postern


@pytest.fixture
def suite():
    """A running instance with one domain and two users."""
    with postern.Instance() as inst:
        inst.add_domain()
        inst.add_user("alice@example.org", "wonderland")
        inst.add_user("bob@example.org", "builder")
        yield inst
