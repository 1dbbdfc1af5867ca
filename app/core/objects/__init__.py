"""File store and object storage for uploads: in the database, in a directory, or in S3."""
