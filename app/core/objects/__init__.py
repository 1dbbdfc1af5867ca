"""Object storage for uploaded files: in the database, in a directory, or in S3."""
