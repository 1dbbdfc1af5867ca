"""`make bench`: what the API does a second, beside what it is compared with."""
