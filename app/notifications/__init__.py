"""What people are told: in the front end, and by mail. Owns the tables `notifications`, `notification_preferences` and
`recipients`, its own copy of what it has to know of accounts."""
