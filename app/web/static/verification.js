// Whether mails wait for somebody to verify their address.

/** Where no mail is sent, nobody is asked to. */
export const awaitsVerification = (user) => Boolean(user.mail_enabled) && user.email_verified === false;
