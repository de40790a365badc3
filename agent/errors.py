"""Every error Watchkeeper raises on purpose, sorted by who reacts to it.

    WatchkeeperError
    ├── InputError              the person reacts: one clear line, exit code 2
    │   ├── SettingsError       the TOML file or a WATCHKEEPER_ variable is wrong
    │   ├── PhotoError          not an image, truncated
    │   │   └── PhotoTooLarge   more bytes or pixels than the limits allow
    │   ├── QuestionError       empty or too long
    │   ├── DatabaseError       missing, locked or of another shape
    │   ├── ManualError         a manual that holds no text, or cannot be read
    │   ├── PullError           weights could not be fetched: no disk, no source
    │   ├── ModuleError         a module bundle is not sound, or no such module is here
    │   ├── VoiceUnavailable    nobody listens or speaks here now: the box goes on in writing
    │   └── UpdateError         an update cannot be made with what the person gave
    │       ├── UpdateOffline   its source cannot be reached now
    │       └── UpdateRefused   it is not what was signed (exit code 5)
    ├── SwapFailed              a module did not prove itself; the one before it answers (exit code 3)
    ├── WeightsError            the ladder reacts: the next rung answers (exit code 3 when asked for by name)
    │   ├── WeightsMissing      no such file on this box
    │   ├── WeightsBad          short, or its digest is not the pinned one; it has been set aside
    │   ├── WeightsUnreadable   the storage does not give it back; the disk is to blame, and the file stays
    │   └── WeightsChanged      a file was written to while it was in use; it is verified and opened anew
    ├── ModelError              the ladder reacts: a model that does not load or run
    │   ├── ModelDied           its process died in the middle; it is started again, and asked once more
    │   ├── ModelUnsound        it loads, and fails a question whose answer is certain
    │   ├── WordsNothing        the rules, asked for words of their own: they fail nothing by it
    │   ├── NotEnoughMemory     this box has not the memory for it, now
    │   └── PromptTooLong       the person reacts: no rung is to blame (exit code 2)
    ├── WorkerError             whoever called into a child process reacts
    │   ├── WorkerDied          it died before it answered: how, and the last lines that it wrote
    │   ├── WorkerBusy          too many calls wait for it already
    │   ├── WorkerDown          it is stopped, or rests because it died too often
    │   ├── CallCancelled       the call was cancelled, or late, before it began
    │   └── CallFailed          what was called raised an error; `kinds` are its class names
    ├── SeenByModel             the model reads the message and may try again
    │   ├── ToolFailed          the tool could not do it
    │   │   ├── ToolUnavailable what it needs is not there; a person has to put that right, so it is not tried again
    │   │   └── CommandNotSent  nothing left the box: a rule was against it, or the device is not there
    │   ├── ToolDenied          a rule or a person said no
    │   └── BadReply            the reply does not fit the grammar of this step
    ├── TurnEnded               the turn ends, with what is known so far
    │   ├── TimeLimit           too many seconds
    │   ├── TurnCancelled       whoever asked does not want it any more
    │   └── NeedsPerson         an approval is wanted (exit code 4)
    └── IntegrityError          the audit trail is not what was written (exit code 5)

Anything else that is raised is a bug (exit code 1). A message says what was wrong, where, and what to do about it.
"""

from collections.abc import Mapping

from agent.values import Said

__all__ = [
    "BadReply",
    "CallCancelled",
    "CallFailed",
    "CommandNotSent",
    "DatabaseError",
    "InputError",
    "IntegrityError",
    "ManualError",
    "ModelDied",
    "ModelError",
    "ModelUnsound",
    "ModuleError",
    "NeedsPerson",
    "NotEnoughMemory",
    "PhotoError",
    "PhotoTooLarge",
    "PromptTooLong",
    "PullError",
    "QuestionError",
    "SeenByModel",
    "SettingsError",
    "SwapFailed",
    "TimeLimit",
    "ToolDenied",
    "ToolFailed",
    "ToolUnavailable",
    "TurnCancelled",
    "TurnEnded",
    "UpdateError",
    "UpdateOffline",
    "UpdateRefused",
    "VoiceUnavailable",
    "WatchkeeperError",
    "WeightsBad",
    "WeightsChanged",
    "WeightsError",
    "WeightsMissing",
    "WeightsUnreadable",
    "WordsNothing",
    "WorkerBusy",
    "WorkerDied",
    "WorkerDown",
    "WorkerError",
]


class WatchkeeperError(Exception):
    """The root. `exit_code` is what the command line returns when nobody caught it."""

    exit_code = 1


class InputError(WatchkeeperError):
    """What the person gave cannot be used."""

    exit_code = 2


class SettingsError(InputError):
    """A settings file or variable is wrong."""


class PhotoError(InputError):
    """A photo cannot be read, or is beyond the limits."""


class PhotoTooLarge(PhotoError):
    """A photo has more bytes or pixels than the limits allow."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what
        """bytes | pixels"""


class QuestionError(InputError):
    """A question is empty or too long."""


class DatabaseError(InputError):
    """A database is missing, locked or has another shape."""


class ManualError(InputError):
    """A manual cannot be read, or holds no text."""


class PullError(InputError):
    """Weights could not be fetched."""


class VoiceUnavailable(InputError):
    """A stage of the voice is not here, or does not answer."""


class UpdateError(InputError):
    """An update could not be fetched or put in use; what was in use stays."""


class UpdateOffline(UpdateError):
    """Nobody answers where updates come from."""


class UpdateRefused(UpdateError):
    """What is offered is not signed as this box trusts it, is older than what it knows, or is not what was signed."""

    exit_code = 5


class ModuleError(InputError):
    """A module bundle is not sound, or no such module is here."""


class SwapFailed(WatchkeeperError):
    """A module did not prove itself; whatever answered before goes on."""

    exit_code = 3


class WeightsError(WatchkeeperError):
    """A weight file cannot be used."""

    exit_code = 3

    def __init__(self, message: str, faults: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.faults = dict(faults or {})
        """File name → what is wrong with it, as `agent.weights.digest.Fault`."""


class WeightsMissing(WeightsError):
    """A weight file is not on this box."""


class WeightsBad(WeightsError):
    """A weight file is short or its digest is wrong; it has been set aside as `*.bad`."""


class WeightsUnreadable(WeightsError):
    """A weight file cannot be read back from its disk. Nobody can tell whether it is sound, so it stays where it is."""


class WeightsChanged(WeightsError):
    """A weight file was written to, or turned out bad, while it was in use."""


class ModelError(WatchkeeperError):
    """A model does not load or run."""

    exit_code = 3


class ModelDied(ModelError):
    """The model's process died before it answered."""


class ModelUnsound(ModelError):
    """A model loads, and does not answer a question that any sound model answers, or not in time."""


class NotEnoughMemory(ModelError):
    """A model does not fit into the memory that is free."""


class WordsNothing(ModelError):
    """Asked for free text, which the rules cannot word; they can do all else, so no rung falls over it."""


class PromptTooLong(ModelError):
    """The prompt does not fit the model's context."""

    exit_code = 2


class WorkerError(WatchkeeperError):
    """A call into a child process did not come back with a result."""


class WorkerDied(WorkerError):
    """The process died before it answered."""


class WorkerBusy(WorkerError):
    """So many calls wait that one more is refused."""


class WorkerDown(WorkerError):
    """There is no process, and there will be none soon."""


class CallCancelled(WorkerError):
    """The call was cancelled, or its deadline passed, before it began."""


class CallFailed(WorkerError):
    """What was called in the process raised an error."""

    def __init__(self, message: str, kinds: tuple[str, ...]) -> None:
        super().__init__(message)
        self.kinds = kinds
        """Names of the error's class and of those above it, nearest first."""


class SeenByModel(WatchkeeperError):
    """Told to the model as the tool's result."""


class ToolFailed(SeenByModel):
    """The tool could not do what it was called for."""


class ToolUnavailable(ToolFailed):
    """What the tool needs (a database, a file) is not there; a person has to put that right."""


class CommandNotSent(ToolFailed):
    """A command to a device that certainly never left the box."""

    def __init__(self, message: str, said: Said | None = None) -> None:
        super().__init__(message)
        self.said = said
        """The same for the person, in both languages; None: as the message has it."""


class ToolDenied(SeenByModel):
    """A rule, a plugin or a person refused the call."""


class BadReply(SeenByModel):
    """The model's reply does not fit the grammar of this step."""


class TurnEnded(WatchkeeperError):
    """The turn stops here."""


class TimeLimit(TurnEnded):
    """The turn used up its seconds."""


class TurnCancelled(TurnEnded):
    """Whoever asked does not want the answer any more."""


class NeedsPerson(TurnEnded):
    """A person has to approve before this goes on."""

    exit_code = 4


class IntegrityError(WatchkeeperError):
    """A record is not what was written."""

    exit_code = 5
