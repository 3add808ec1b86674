"""What a person did: predictions that never change, corrections that can be undone. No Qt, no napari."""

from .corrections import Correction, Corrections, Place
from .current import STALE, current_analysis
from .names import Naming, Spot
from .places import landmark_at, landmark_on_slice
from .recent import RecentStudies, RecentStudy
from .role_memory import RoleMemory, roles_differ
from .saved import SavedSession
from .session import Session
from .state import RegradeRequest, SessionState
from .steps import Work
from .store import AnothersSession, Restored, SessionStore, read_session, restore_work
from .view import ViewState

__all__ = [
    "STALE",
    "AnothersSession",
    "Correction",
    "Corrections",
    "Naming",
    "Place",
    "RecentStudies",
    "RecentStudy",
    "RegradeRequest",
    "Restored",
    "RoleMemory",
    "SavedSession",
    "Session",
    "SessionState",
    "SessionStore",
    "Spot",
    "ViewState",
    "Work",
    "current_analysis",
    "landmark_at",
    "landmark_on_slice",
    "read_session",
    "restore_work",
    "roles_differ",
]
