"""Port of text messages."""

from typing import Protocol


class SmsUnknownError(Exception):
    """The provider's answer was lost: the message may have been sent, and must not be sent again."""


class SmsRefusedError(Exception):
    """The provider refuses the message for good.

    Args:
        reason: a few words, without the number.
        number: whether the number is the reason: it does not exist, or its owner has opted out.
    """

    def __init__(self, reason: str, *, number: bool) -> None:
        super().__init__(reason)
        self.number = number


class SmsSender(Protocol):
    def send(self, number: str, text: str) -> str:
        """Send a message.

        Args:
            number: in E.164.
            text: at most 1,600 characters.

        Returns:
            The provider's name of the message.

        Raises:
            UnavailableError: the message was certainly not sent; a retry may succeed.
            SmsUnknownError: the message may have been sent.
            SmsRefusedError: the message will not be sent.
        """
