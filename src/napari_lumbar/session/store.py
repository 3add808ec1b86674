"""Sessions on disk: versioned JSON in the user's data folder or a project folder, never beside the images.

A file is named by hashes of the study's UID, of the bundle, and of the roles that the series play: it
identifies no patient, and work on some predictions is neither applied to others nor overwritten by work on
them. Another reader's file is not written to unless it is taken over, nor one in which another window saved
other work meanwhile, and nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from ..domain.errors import SessionError
from ..domain.findings import Analysis, SeriesUse
from ..domain.geometry import vector3
from ..domain.landmarks import Landmarks
from ..domain.study import MRSeries, Study
from ..pipeline.plausibility import level_middles
from .files import keep_copy, set_aside, write_atomically
from .record import UnreadableSession, decode, encode
from .saved import SavedSession, roles_sha256, sha256_text
from .session import Session
from .state import SessionState
from .steps import Work
from .view import ViewState

#: Stands for the work in a file that could not be read.
_UNREAD = None


@dataclass(frozen=True)
class Restored:
    """Work found on disk, when it was saved (None if there was none), and what a person should know."""

    work: Work = field(default_factory=Work)
    saved_at: datetime | None = None
    message: str = ""
    view: ViewState = field(default_factory=ViewState)


class AnothersSession(SessionError):
    """The session is another reader's, and was not to be taken over.

    Parameters
    ----------
    owner
        Whose, and when it was saved, for a person.
    """

    def __init__(self, owner: str) -> None:
        super().__init__(
            f"the session of this study is that of {owner}: take it over, or choose another session folder"
        )
        self.owner = owner


def read_session(path: Path) -> SavedSession:
    """Read a session file and leave it as it is.

    Raises
    ------
    SessionError
        If it cannot be read, is damaged, or was written by a newer version.
    """
    try:
        return decode(path.read_bytes())
    except UnreadableSession as error:
        raise UnreadableSession(f"{path.name} cannot be used: {error}") from error
    except OSError as error:
        raise SessionError(f"{path.name} cannot be read: {error.strerror}; choose another file") from error


class SessionStore:
    """Reads and writes session files in one folder.

    Parameters
    ----------
    folder
        Where the files lie (default: the user's data folder).
    reader
        Name or pseudonym of who works; files of others are not overwritten.
    """

    def __init__(self, folder: Path | None = None, reader: str = "") -> None:
        self.folder = folder or user_data_path("napari-lumbar", appauthor=False) / "sessions"
        self.reader = reader
        #: The work in each file when it was last read or written here; none of it where there was no file.
        #: Only work is protected: a window that was only looked through saves another view and time.
        self._known: dict[Path, Work | None] = {}

    def path(self, study_uid: str, bundle_sha256: str, series: Iterable[MRSeries | SeriesUse]) -> Path:
        """The file of one study as read with one bundle from series in these roles."""
        predictions = f"{sha256_text(bundle_sha256)[:8]}-{roles_sha256(series)[:8]}"
        return self.folder / f"{sha256_text(study_uid)[:32]}-{predictions}.json"

    def check_apart(self, images: Path) -> None:
        """Raise ``SessionError`` if the sessions would lie among the images of the folder ``images``."""
        if self.folder.resolve().is_relative_to(images.resolve()):
            raise SessionError(
                "sessions would be saved among the DICOM files of the study: choose a folder outside it"
            )

    def save(self, state: SessionState, view: ViewState | None = None) -> datetime:
        """Write the work so that a crash leaves either the old file or the new one; return when.

        Parameters
        ----------
        view
            What is looked at; by default nothing is said about it.

        Raises
        ------
        AnothersSession
            If the file there is another reader's.
        SessionError
            If it is a newer version's, or holds other work than when it was last read or written here.
        OSError
            If it cannot be written.
        """
        analysis = state.analysis
        path = self.path(state.study_uid, analysis.provenance.bundle_sha256, analysis.series)
        self._see_that_it_is_ours(path)
        saved = self._saved(state, view or ViewState())
        self._write(path, saved)
        return saved.saved_at

    def restore(
        self,
        study: Study,
        bundle_sha256: str,
        take_over: bool = False,
        predicted: Landmarks | None = None,
    ) -> Restored:
        """Return the work that belongs to ``study``.

        A file that cannot be read, or whose points lie on slices that the study does not have, is renamed,
        never deleted or overwritten, and the message says so.

        Parameters
        ----------
        take_over
            Go on with another reader's session, whose file is kept as a copy.
        predicted
            Where the bundle finds the levels now; work on other places under these names is not restored.

        Raises
        ------
        AnothersSession
            If the file is another reader's and not to be taken over.
        SessionError
            If it is a newer version's.
        """
        path = self.path(study.study_uid, bundle_sha256, study.series)
        self._known[path] = _UNREAD
        if not path.exists():
            self._known[path] = Work()
            return Restored(message=self._of_other_predictions(study))
        try:
            saved = read_session(path)
            if saved.reader != self.reader and not take_over:
                raise AnothersSession(saved.reader_text)
            self._check(saved, study, bundle_sha256, predicted)
        except UnreadableSession as error:
            aside = set_aside(path)
            self._known[path] = Work()
            return Restored(message=f"{error}. It was kept as {aside.name} and a new one begun.")
        if saved.reader != self.reader:
            return self._taken_over(path, saved)
        self._known[path] = saved.work
        return Restored(saved.work, saved.saved_at, _restored_text(saved.work), saved.view)

    def _write(self, path: Path, saved: SavedSession) -> None:
        write_atomically(path, encode(saved))
        self._known[path] = saved.work

    def _saved(self, state: SessionState, view: ViewState) -> SavedSession:
        return SavedSession(
            study_sha256=sha256_text(state.study_uid),
            bundle_sha256=state.analysis.provenance.bundle_sha256,
            reader=self.reader,
            saved_at=datetime.now(UTC).replace(microsecond=0),
            roles={use.series_id: use.role for use in state.analysis.series},
            predicted_lps_mm={
                level: vector3(middle) for level, middle in level_middles(state.analysis.landmarks).items()
            },
            work=state.work,
            view=view,
        )

    def _check(
        self, saved: SavedSession, study: Study, bundle_sha256: str, predicted: Landmarks | None
    ) -> None:
        try:
            saved.with_roles(study)
            saved.check_bundle(bundle_sha256)
            saved.check_places(study)
            if predicted is not None:
                saved.check_names(predicted)
        except SessionError as error:
            raise UnreadableSession(f"The session file does not fit: {error}") from error

    def _see_that_it_is_ours(self, path: Path) -> None:
        if not path.exists():
            return
        try:
            saved = read_session(path)
        except UnreadableSession:
            set_aside(path)
            return
        if saved.reader != self.reader:
            raise AnothersSession(saved.reader_text)
        if self._known.get(path, saved.work) != saved.work:
            raise SessionError(
                f"the one on disk, saved {saved.saved_at:%H:%M} UTC, is not what was read here: export what "
                "was done here, close other windows of this study, and analyse again"
            )

    def _taken_over(self, path: Path, saved: SavedSession) -> Restored:
        copy = keep_copy(path)
        mine = replace(saved, reader=self.reader, saved_at=datetime.now(UTC).replace(microsecond=0))
        self._write(path, mine)
        message = f"Taken over from {saved.reader_text}; their file was kept as {copy.name}."
        return Restored(mine.work, mine.saved_at, message, mine.view)

    def _of_other_predictions(self, study: Study) -> str:
        others = sorted(self.folder.glob(f"{sha256_text(study.study_uid)[:32]}-*.json"))
        if not others:
            return ""
        names = ", ".join(path.name for path in others)
        return (
            "Work on other predictions of this study, by another bundle or version or from series in other "
            f"roles, is kept as {names}; it does not apply to these."
        )


def restore_work(
    store: SessionStore,
    study: Study,
    analysis: Analysis,
    may_take_over: Callable[[str], bool],
    left: Session | None = None,
) -> tuple[Restored, str]:
    """Return the work on disk for the predictions of ``analysis``, and why it cannot be used.

    It stays then, and no new work is saved over it. Work of ``left``, the session before, that is on no disk
    goes on where the study is analysed again with the same bundle.

    ``may_take_over`` is asked about the owner of a session that is another reader's.
    """
    sha256, predicted = analysis.provenance.bundle_sha256, analysis.landmarks
    is_same = left is not None and left.study is study and left.bundle_sha256 == sha256
    if left is not None and is_same and left.is_at_risk:
        return Restored(left.state.work, left.saved_at, "Corrections go on as they were."), left.not_saved
    try:
        try:
            return store.restore(study, sha256, predicted=predicted), ""
        except AnothersSession as error:
            if not may_take_over(error.owner):
                raise
            return store.restore(study, sha256, take_over=True, predicted=predicted), ""
    except (SessionError, OSError) as error:
        return Restored(), f"{error}."


def _restored_text(work: Work) -> str:
    corrected = len(work.corrections.by_spot)
    names = "" if work.corrections.naming.is_predicted else " Names were changed by hand."
    return f"Corrections restored: {corrected}.{names}" if corrected or names else ""
