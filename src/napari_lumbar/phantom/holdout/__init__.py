"""A second generator, with anatomy and appearance of its own, to evaluate what was trained on the first.

Nothing here comes from the first generator's anatomy, scanner or contrast, so that no mistake is shared; both
have the same severities, measures and tissues. It is only ever used to evaluate.
"""

from .config import TestPhantomConfig
from .make import make_test_phantom

__all__ = ["TestPhantomConfig", "make_test_phantom"]
