"""Telephone numbers of users, verified by a code that is sent there."""

import hmac
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import InvalidError, UnavailableError
from app.core.jobs.model import Job
from app.core.security.signing import Signer
from app.core.sms.port import SmsRefusedError, SmsSender, SmsUnknownError
from app.notifications.model import Phone, VerificationCode
from app.notifications.ports import NotificationStorage, NotificationWork

LIFETIME = timedelta(minutes=10)

MOST_TRIES = 5

DIGITS = 6

CODE_SMS = "phone-code"
"""Kind of the job that sends a code."""

TEXT = "{code} is your code for PrimeTrade Task Manager. It is good for 10 minutes. Nobody will ask you for it."


class PhoneService:
    """Stores a user's number, and verifies it.

    Args:
        signer: derives the codes; its key serves no other purpose.
        countries: ISO codes of the countries whose numbers are accepted; empty for all.
        enabled: whether SMS are sent at all.
    """

    def __init__(
        self,
        storage: NotificationStorage,
        signer: Signer,
        countries: Collection[str],
        clock: Clock,
        new_id: NewId,
        *,
        enabled: bool,
    ) -> None:
        self.enabled = enabled
        self._storage = storage
        self._signer = signer
        self._countries = countries
        self._clock = clock
        self._new_id = new_id

    @retried
    def get(self, user_id: UUID) -> Phone | None:
        """Return the user's number, if there is one."""
        with self._storage.read_of(user_id) as work:
            return work.phones.get(user_id)

    def change(self, user_id: UUID, text: str) -> Phone:
        """Store a number and send a code there, unless it is verified already; return it.

        Args:
            user_id: the user.
            text: the number, with its country code.

        Raises:
            InvalidError: it is no mobile number of an accepted country, or no SMS are sent.
        """
        if not self.enabled:
            raise InvalidError("number", "can't be used: this server sends no SMS")
        return self._store(Phone(user_id, e164(text, self._countries)))

    @retried
    def _store(self, phone: Phone) -> Phone:
        with self._storage.write() as work:
            former = work.phones.get(phone.user_id)
            if former and former.number == phone.number and former.verified and not former.suspended:
                return former
            work.phones.put(phone)
            code = VerificationCode(self._new_id(), self._clock() + LIFETIME)
            work.phones.put_code(phone.user_id, code)
            work.mails.add(CODE_SMS, {"user_id": str(phone.user_id), "code_id": str(code.id)})
        return phone

    def verify(self, user_id: UUID, text: str) -> Phone:
        """Verify the user's number by a code.

        Raises:
            InvalidError: the code is wrong or has expired, or there were too many wrong ones.
        """
        phone = run(self._storage.write, lambda work: self._verify(work, user_id, text))
        # Outside the transaction, which has counted the wrong code.
        if phone is None:
            raise InvalidError("code", "is wrong or has expired: ask for another one")
        return phone

    def _verify(self, work: NotificationWork, user_id: UUID, text: str) -> Phone | None:
        code = work.phones.code(user_id)
        phone = work.phones.get(user_id)
        if code is None or phone is None or code.expires_at <= self._clock() or code.tries >= MOST_TRIES:
            return None
        if not hmac.compare_digest(self.code_of(phone, code.id).encode(), text.encode()):
            work.phones.put_code(user_id, replace(code, tries=code.tries + 1))
            return None
        verified = replace(phone, verified=True)
        work.phones.put(verified)
        return verified

    @retried
    def delete(self, user_id: UUID) -> None:
        """Delete the user's number."""
        with self._storage.write() as work:
            work.phones.remove(user_id)

    def code_of(self, phone: Phone, code_id: UUID) -> str:
        """Return the code with an id: without the key nobody can tell it from what is stored."""
        digest = self._signer.sign(f"{phone.user_id.hex}\n{phone.number}\n{code_id.hex}".encode())
        return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}}"


class SendCode:
    """Job handler that sends a code once; without a provider, as after a change of the settings, never."""

    attempts = 5

    def __init__(self, storage: NotificationStorage, phones: PhoneService, sms: SmsSender | None, clock: Clock) -> None:
        self._storage = storage
        self._phones = phones
        self._sms = sms
        self._clock = clock

    def run(self, job: Job) -> None:
        user_id, code_id = (UUID(str(job.parameters[name])) for name in ("user_id", "code_id"))
        phone = run(self._storage.write, lambda work: self._take(work, user_id, code_id))
        if phone is None or self._sms is None:
            return
        try:
            self._sms.send(phone.number, TEXT.format(code=self._phones.code_of(phone, code_id)))
        except UnavailableError:
            run(self._storage.write, lambda work: self._mark(work, user_id, code_id, sent=False))
            raise
        except SmsUnknownError:
            return  # whoever gets none asks for another one
        except SmsRefusedError as error:
            reason = str(error)
            if not error.number:
                raise UnavailableError(reason) from error
            run(self._storage.write, lambda work: work.phones.put(replace(phone, suspended=reason)))

    def _take(self, work: NotificationWork, user_id: UUID, code_id: UUID) -> Phone | None:
        """Return the number if its code is still to be sent, and mark it as sent."""
        code = work.phones.code(user_id)
        if code is None or code.id != code_id or code.sent or code.expires_at <= self._clock():
            return None
        self._mark(work, user_id, code_id, sent=True)
        return work.phones.get(user_id)

    def _mark(self, work: NotificationWork, user_id: UUID, code_id: UUID, *, sent: bool) -> None:
        code = work.phones.code(user_id)
        if code and code.id == code_id:
            work.phones.put_code(user_id, replace(code, sent=sent))


def e164(text: str, countries: Collection[str] = ()) -> str:
    """Return a mobile number in E.164.

    Args:
        text: with the country code; spaces and the like don't matter.
        countries: ISO codes of the countries whose numbers are accepted; empty for all.

    Raises:
        InvalidError: it is none.
    """
    # Imported here: its tables are large, and most processes never read a number.
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise InvalidError("number", "must be a telephone number such as +49 1512 3456789") from None
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise InvalidError("number", "is not a number that exists")
    if phonenumbers.number_type(number) not in mobile:
        raise InvalidError("number", "must be a mobile number")
    if countries and phonenumbers.region_code_for_number(number) not in countries:
        raise InvalidError("number", "is of a country to which no SMS are sent")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
