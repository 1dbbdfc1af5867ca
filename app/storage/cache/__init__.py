"""What is kept per user beside the tables: which sessions have ended, and answers for a while."""
