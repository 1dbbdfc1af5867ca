"""Notifications service: notifications in the front end and by mail. Owns the tables `notifications`,
`notification_preferences` and `recipients`, its projection of the accounts."""
