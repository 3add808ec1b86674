"""What a person did: predictions that never change, corrections that can be undone. No Qt, no napari."""

from .current import STALE, current_analysis
from .edits import landmark_at, landmark_on_slice
from .session import Session
from .state import RegradeRequest, SessionState
from .store import SessionStore

__all__ = [
    "STALE",
    "RegradeRequest",
    "Session",
    "SessionState",
    "SessionStore",
    "current_analysis",
    "landmark_at",
    "landmark_on_slice",
]
