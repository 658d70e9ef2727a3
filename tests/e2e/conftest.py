import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "py"))

from fixtures import suite  # noqa: E402, F401
