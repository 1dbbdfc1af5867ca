"""The rules. No Flask and no SQL here: storage and platform come in through small protocols."""
