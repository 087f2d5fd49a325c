from piccolo.columns import JSONB, UUID, ForeignKey, Real, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table

from orchestrator.accounts.tables import Account
from orchestrator.lib.ids import new_id


class CustomVoice(Table, tablename="voice"):
    """A voice that an account created. The samples of a prompt are in the object store."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(Account, null=False, index=True, on_delete=OnDelete.cascade)
    kind = Text()  # prompt or mix
    model = Text()
    slug = Text()
    name = Text()
    description = Text()
    language = Text()
    digest = Text(null=True, default=None)  # a prompt's: SHA-256 of its samples, in hex
    seconds = Real(null=True, default=None)
    spoken_seconds = Real(null=True, default=None)  # without the pauses
    transcript = Text(null=True, default=None)
    mix = JSONB(null=True, default=None)  # a mix's: voice -> weight
    created_at = Timestamptz(default=TimestamptzNow())

    uq_voice_slug_model_owner = Unique([slug, model, owner])


class VoiceConsent(Table, tablename="voice_consent"):
    """The consent of a prompt's speaker. It is never changed, and stays when the voice is deleted."""

    id = UUID(primary_key=True, default=new_id)
    account = ForeignKey(Account, null=False, index=True, on_delete=OnDelete.cascade)  # who uploaded the recording
    voice = UUID(unique=True)  # not a foreign key: the record outlives the voice, as its audio may
    digest = Text()  # of the prompt
    speaker = Text()
    statement = Text()
    recorded_at = Timestamptz(default=TimestamptzNow())
