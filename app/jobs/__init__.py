"""Work that outlives a request. The table `jobs` is the truth; a carrier only says "look at this one"."""
