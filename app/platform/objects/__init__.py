"""Files that people upload: where their bytes are, and how they come there and go."""
